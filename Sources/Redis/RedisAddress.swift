// Where Redis is: `redis://[[user]:password@]host[:port][/database]` (IANA's `redis` scheme), or a
// Unix socket as `unix:///path[?db=n]` or `redis+unix:///path[?db=n]`, which redis-py and others read.

import HTTP
import System

package struct RedisAddress: Sendable, Equatable {
  package let socket: SocketAddress
  /// Percent-decoded; nil for Redis' `default` user.
  package let user: String?
  package let password: String?
  package let database: Int

  /// Names what is at fault, never the URL itself, which may hold a password.
  package struct Malformed: Error, Equatable, CustomStringConvertible {
    package let description: String
  }

  /// The usual place of a Redis on the same host.
  package static let local = RedisAddress(socket: .tcp(host: "127.0.0.1", port: 6379))

  private init(socket: SocketAddress) {
    (self.socket, user, password, database) = (socket, nil, nil, 0)
  }

  private static let schemes = ["redis://", "unix://", "redis+unix://"]

  /// One URL or several, each behind the comma that ends the one before: a comma with no scheme behind it
  /// belongs to a password or a path.
  /// - Throws: ``Malformed``, also where there are more than eight: each can take its time-out.
  package static func list(_ text: String) throws(Malformed) -> [RedisAddress] {
    var urls: [String] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let begins = schemes.contains { part.hasPrefix($0) }
      if begins || urls.isEmpty {
        urls.append(String(part))
      } else {
        urls[urls.count - 1] += ",\(part)"
      }
    }
    guard urls.count <= 8 else { throw Malformed(description: "it lists more than 8 servers") }
    var addresses: [RedisAddress] = []
    for url in urls { addresses.append(try RedisAddress(url: url)) }
    return addresses
  }

  /// - Throws: ``Malformed``. `rediss` (TLS) is not supported.
  package init(url: String) throws(Malformed) {
    guard let scheme = Self.schemes.first(where: { url.hasPrefix($0) }) else {
      throw Malformed(
        description: "it begins with none of \(Self.schemes.joined(separator: ", "))")
    }
    var rest = url.dropFirst(scheme.count)
    if let at = rest.lastIndex(of: "@") {
      (user, password) = try Self.credentials(rest[..<at])
      rest = rest[rest.index(after: at)...]
    } else {
      (user, password) = (nil, nil)
    }
    (socket, database) = scheme == Self.schemes[0] ? try Self.tcp(rest) : try Self.unix(rest)
  }

  private static func credentials(
    _ text: Substring
  ) throws(Malformed) -> (user: String?, password: String?) {
    let (user, password) = cut(text, at: ":")
    guard let password,
      let user = try? PercentEncoding.decode(user),
      let password = try? PercentEncoding.decode(password)
    else { throw Malformed(description: "its credentials are not user:password") }
    return (user.isEmpty ? nil : user, password.isEmpty ? nil : password)
  }

  private static func tcp(
    _ text: Substring
  ) throws(Malformed) -> (socket: SocketAddress, database: Int) {
    let (authority, path) = cut(text, at: "/")
    let hasPort = authority.last != "]" && authority.contains(":")
    guard let socket = SocketAddress(hasPort ? String(authority) : "\(authority):6379"),
      case .tcp = socket
    else { throw Malformed(description: "its host or port is malformed") }
    return (socket, try database(path ?? ""))
  }

  private static func unix(
    _ text: Substring
  ) throws(Malformed) -> (socket: SocketAddress, database: Int) {
    let (path, query) = cut(text, at: "?")
    guard let path = try? PercentEncoding.decode(path),
      let socket = SocketAddress("unix:\(path)")
    else { throw Malformed(description: "its path is not absolute or longer than 107 bytes") }
    guard let query else { return (socket, 0) }
    guard query.hasPrefix("db=") else {
      throw Malformed(description: "its query is not db=NUMBER")
    }
    return (socket, try database(query.dropFirst(3)))
  }

  /// What is before the first `mark` and, where there is one, what is behind it.
  private static func cut(_ text: Substring, at mark: Character) -> (Substring, Substring?) {
    guard let index = text.firstIndex(of: mark) else { return (text, nil) }
    return (text[..<index], text[text.index(after: index)...])
  }

  private static func database(_ text: Substring) throws(Malformed) -> Int {
    if text.isEmpty { return 0 }
    guard text.utf8.count <= 5, text.utf8.allSatisfy({ $0 &- 0x30 < 10 }), let number = Int(text)
    else { throw Malformed(description: "its database is not a number") }
    return number
  }
}
