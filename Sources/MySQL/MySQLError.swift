// What the server or the client library reports: code, SQLSTATE, text, the statement it was about,
// and where in the program it happened.

import System

package struct MySQLError: Error, CustomStringConvertible {
  /// A server error (1000…) or a client error (2000…).
  package let code: UInt32
  /// SQLSTATE, five characters.
  package let state: String
  package let message: String
  /// The statement's text, which never holds values: they are bound.
  package let sql: String?
  package let backtrace: Backtrace

  init(code: UInt32, state: String = "HY000", message: String, sql: String? = nil) {
    self.code = code
    self.state = state
    self.message = message
    self.sql = sql
    backtrace = Backtrace.capture()
  }

  /// The connection is gone or could not be made: CR_CONNECTION_ERROR, CR_CONN_HOST_ERROR,
  /// CR_UNKNOWN_HOST, CR_SERVER_GONE_ERROR, CR_SERVER_LOST and its extended form,
  /// ER_SERVER_SHUTDOWN, ER_NORMAL_SHUTDOWN, ER_CONNECTION_KILLED, ER_CON_COUNT_ERROR,
  /// ER_TOO_MANY_USER_CONNECTIONS, the handshake's CR_SERVER_HANDSHAKE_ERR, and what MySQL 8 says
  /// once before it hangs up: ER_CLIENT_INTERACTION_TIMEOUT and ER_SESSION_WAS_KILLED.
  package var isUnavailable: Bool {
    [
      2002, 2003, 2005, 2006, 2012, 2013, 2055, 1053, 1077, 1927, 1040, 1203, 1152, 1184, 4031,
      3169,
    ].contains(code)
  }

  /// CR_SERVER_GONE_ERROR: the connection was found broken before the statement was sent.
  package var wasNotSent: Bool { code == 2006 }

  /// ER_SP_DOES_NOT_EXIST: a dump without routines was restored, say.
  package var isRoutineMissing: Bool { code == 1305 }

  /// InnoDB gave this transaction up for another: a deadlock, a lock wait that took too long, or a
  /// row that changed under a snapshot (MariaDB's ER_CHECKREAD). Running it again is right.
  package var isConflict: Bool { [1213, 1205, 1020].contains(code) }

  /// ER_LOCK_WAIT_TIMEOUT: a conflict that has cost `innodb_lock_wait_timeout` already.
  package var isLockTimeout: Bool { code == 1205 }

  /// The server has ended a statement that took too long: MariaDB's ER_STATEMENT_TIMEOUT and MySQL's
  /// ER_QUERY_TIMEOUT. Reading the same again would take as long.
  package var isStatementTimeout: Bool { [1969, 3024].contains(code) }

  /// ER_NEED_REPREPARE, ER_UNKNOWN_STMT_HANDLER: the statement was not run, and the server wants it
  /// prepared anew.
  var mustPrepareAgain: Bool { [1615, 1243].contains(code) }

  /// ER_DUP_ENTRY.
  package var isDuplicate: Bool { code == 1062 }

  /// ER_DUP_ENTRY in that unique key, whose name the message has in it, in whatever language.
  ///
  /// By hand: the `contains` of a text in a text brings the regular expressions along, a megabyte.
  package func isDuplicate(in key: StaticString) -> Bool {
    guard isDuplicate else { return false }
    let message = Array(message.utf8)
    let name = UnsafeBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount)
    return message.indices.contains { message[$0...].starts(with: name) }
  }

  package var description: String { "MySQL \(code) (\(state)): \(message)" }
}
