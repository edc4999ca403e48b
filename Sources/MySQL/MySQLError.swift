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

  /// This connection serves no longer, and another one may: it is gone, could not be made, or its server
  /// refuses what a request needs (contract §7.14).
  package var isUnavailable: Bool { isConnectionLost || isRefused || isRoutineMissing }

  /// The connection is gone or could not be made, and what a COMMIT under way has come to is not known:
  /// CR_SOCKET_CREATE_ERROR, CR_CONNECTION_ERROR, CR_CONN_HOST_ERROR, CR_IPSOCK_ERROR, CR_UNKNOWN_HOST,
  /// CR_SERVER_GONE_ERROR, CR_SERVER_LOST and its extended form, CR_SSL_CONNECTION_ERROR,
  /// CR_MALFORMED_PACKET, the handshake's CR_SERVER_HANDSHAKE_ERR and CR_VERSION_ERROR (MySQL 9's first
  /// packet of a session that was killed meanwhile is not a greeting), ER_SERVER_SHUTDOWN,
  /// ER_NORMAL_SHUTDOWN, ER_CONNECTION_KILLED, ER_ABORTING_CONNECTION to ER_NET_WRITE_INTERRUPTED,
  /// ER_NEW_ABORTING_CONNECTION, ER_QUERY_INTERRUPTED (an administrator's KILL QUERY, or a cluster's),
  /// ER_ERROR_DURING_COMMIT, ER_RUN_HOOK_ERROR (Group Replication, which may have sent the transaction),
  /// and what MySQL 8 says once before it hangs up: ER_CLIENT_INTERACTION_TIMEOUT and
  /// ER_SESSION_WAS_KILLED.
  private var isConnectionLost: Bool {
    switch code {
    case 2001...2007, 2012, 2013, 2026, 2027, 2055, 1053, 1077, 1927, 1152...1161, 1184, 1180, 1317,
      3100, 3169, 4031:
      true
    default: false
    }
  }

  /// The server is there and refuses, "not here, not now": nothing was written.
  ///
  /// - Not writable: ER_OPTION_PREVENTS_STATEMENT (read_only, super_read_only), ER_OPEN_AS_READONLY,
  ///   ER_READ_ONLY_MODE, ER_INNODB_READ_ONLY, ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION,
  ///   ER_SCHEMA_READ_ONLY; ER_UNKNOWN_COM_ERROR of a Galera node that is not primary; ER_BEFORE_DML_VALIDATION_ERROR
  ///   of a group that has several primaries, or is about to have another one, for tables whose foreign keys cascade.
  /// - Full: EE_WRITE, EE_DISK_FULL, ER_DISK_FULL, ER_ERROR_ON_WRITE, ER_RECORD_FILE_FULL,
  ///   ER_TOO_MANY_CONCURRENT_TRXS, ER_INNODB_UNDO_LOG_FULL.
  /// - Out of something: ER_CON_COUNT_ERROR, ER_TOO_MANY_USER_CONNECTIONS, ER_USER_LIMIT_REACHED,
  ///   ER_HOST_IS_BLOCKED, ER_OUTOFMEMORY, ER_OUT_OF_RESOURCES, ER_CANT_CREATE_THREAD,
  ///   ER_MAX_PREPARED_STMT_COUNT_REACHED, and the lock table's ER_LOCK_TABLE_FULL.
  /// - Away: ER_SERVER_OFFLINE_MODE, and with MySQL 9's reasons ER_SERVER_OFFLINE_MODE_REASON and _USER;
  ///   ER_SERVER_ISNT_AVAILABLE; of a group whose new primary waits for what the last one had committed
  ///   ER_GR_HOLD_WAIT_TIMEOUT to ER_GR_HOLD_MEMBER_STATUS_ERROR, ER_GRP_TRX_CONSISTENCY_NOT_ALLOWED to
  ///   ER_GRP_TRX_CONSISTENCY_AFTER_ON_TRX_BEGIN.
  ///
  /// Not in here: ER_ACCESS_DENIED_ERROR, ER_BAD_DB_ERROR and their like (a configuration's faults),
  /// ER_GET_ERRNO (whatever a storage engine reports), ER_OUT_OF_SORTMEMORY (a row, not a moment), and
  /// damaged tables, which need an administrator.
  package var isRefused: Bool {
    [
      1290, 1036, 1836, 1874, 1792, 3989, 1047, 3098, 3, 20, 1021, 1026, 1114, 1637, 3019, 1040,
      1203, 1226, 1129, 1037, 1041, 1135, 1461, 1206, 3032, 6400, 6401, 3168, 3781, 3782, 3783,
      3796, 3797, 3798,
    ].contains(code)
  }

  /// As a server says it to a statement that writes (ER_OPTION_PREVENTS_STATEMENT).
  static let nodeIsReadOnly = MySQLError(code: 1290, message: "the node is read-only")

  /// As a Galera node without a quorum says it to a statement that reads a table (ER_UNKNOWN_COM_ERROR).
  static let nodeIsApart = MySQLError(code: 1047, message: "the node is cut off from its cluster")

  /// Another node may serve where this one does not: it refuses, shuts down (ER_SERVER_SHUTDOWN,
  /// ER_NORMAL_SHUTDOWN), or fell silent or away with a statement (CR_SERVER_LOST). A connection that was
  /// closed while it was idle, or was killed, says nothing about its node.
  var isOfNode: Bool { isRefused || [1053, 1077, 2013, 2055].contains(code) }

  /// CR_SERVER_GONE_ERROR: the connection was found broken before the statement was sent.
  package var wasNotSent: Bool { code == 2006 }

  /// ER_TABLEACCESS_DENIED_ERROR, ER_COLUMNACCESS_DENIED_ERROR, ER_PROCACCESS_DENIED_ERROR: the account has not the
  /// right.
  package var isDenied: Bool { [1142, 1143, 1370].contains(code) }

  /// ER_NO_SUCH_TABLE.
  package var isTableMissing: Bool { code == 1146 }

  /// ER_SP_DOES_NOT_EXIST: a dump without routines was restored, say.
  package var isRoutineMissing: Bool { code == 1305 }

  /// InnoDB gave this transaction up for another: a deadlock, a lock wait that took too long, a row or a
  /// table that changed under a snapshot (MariaDB's ER_CHECKREAD, ER_TABLE_DEF_CHANGED), or a cluster did
  /// at COMMIT (ER_TRANSACTION_ROLLBACK_DURING_COMMIT). Running it again is right.
  package var isConflict: Bool { [1213, 1205, 1020, 1412, 3101].contains(code) }

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
  package func isDuplicate(in key: StaticString) -> Bool { isDuplicate && says(key) }

  /// ER_CANT_CREATE_TABLE because of InnoDB's HA_ERR_FOUND_DUPP_KEY: MariaDB's answer to a foreign key of a name that
  /// there is.
  package var isForeignKeyThere: Bool { code == 1005 && says(" 121 \"") }

  /// By hand: the `contains` of a text in a text brings the regular expressions along, a megabyte.
  private func says(_ text: StaticString) -> Bool {
    let message = Array(message.utf8)
    let text = UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    return message.indices.contains { message[$0...].starts(with: text) }
  }

  package var description: String { "MySQL \(code) (\(state)): \(message)" }
}
