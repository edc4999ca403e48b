// Where MySQL is, who asks, and how long is waited for it.

/// A server's name or address, and its port.
package struct MySQLAddress: Sendable, Equatable {
  package var host: String
  package var port: UInt16
  /// Connects to `localhost` by TCP; without it, that name is the client library's own Unix socket.
  package var usesTCP: Bool

  package init(host: String, port: UInt16 = 3306, usesTCP: Bool = true) {
    (self.host, self.port, self.usesTCP) = (host, port, usesTCP)
  }
}

package struct MySQLOptions: Sendable, Equatable {
  /// One server, or the nodes of a cluster in the order in which they are tried (`MySQLNodes`). Never
  /// empty.
  package var addresses: [MySQLAddress]
  /// A Unix socket's path; where it is given, the addresses are not used.
  package var socket: String?
  package var user: String
  package var password: String
  package var database: String
  package var connectTimeoutSeconds: UInt32 = 2
  /// How long one statement may take before the connection is given up; more than one lock is waited
  /// for. The server is told to end the statement a second before, so that nothing runs on which
  /// nobody waits for (MySQL: a SELECT).
  package var readTimeoutSeconds: UInt32 = 7

  package init(
    host: String = "127.0.0.1", port: UInt16 = 3306, socket: String? = nil, user: String,
    password: String, database: String
  ) {
    addresses = [MySQLAddress(host: host, port: port)]
    self.socket = socket
    (self.user, self.password, self.database) = (user, password, database)
  }
}
