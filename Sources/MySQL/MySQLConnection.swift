// One connection to MySQL or MariaDB, for one thread. Statements are prepared once and kept; values
// are bound, never pasted into SQL. Closed when the last reference goes.

import CMySQL
import System

/// What the first `mysql_init` would do, which must not happen on two threads at once (MySQL's C API,
/// "mysql_library_init").
private let libraryIsReady = chattrix_library_init()

package final class MySQLConnection {
  private let handle: UnsafeMutablePointer<MYSQL>
  private let channel = UnsafeMutablePointer<chattrix_channel>.allocate(capacity: 1)
  private var statements: [String: MySQLStatement] = [:]

  /// Statements kept prepared at the most; the server's own bound is `max_prepared_stmt_count`.
  private static let statementLimit = 200

  /// Run on every new connection: everything that the meaning of a statement depends on, whatever the
  /// server's defaults and its `init_connect` are, and bounds on waiting.
  ///
  /// - Texts: names and collation of both directions (`skip-character-set-client-handshake` and
  ///   `init_connect` overrule what the handshake asked for); sorting by the whole of an id.
  /// - Values: UTC (R13.5) and the server's own clock, strict types, four decimals of a division, no
  ///   meaning for `IS NULL` beyond the standard's, MariaDB's old ways off.
  /// - Rows: no limit on results, joins or updates without a key; constraints are checked.
  /// - Transactions: autocommit, that may write, COMMIT without a chain; READ COMMITTED, without gap
  ///   locks, so that only rows that exist are ever locked.
  ///
  /// A host that falls in the midst of a transaction sends no FIN: the server would hold its locks until
  /// TCP gives up, after a quarter of an hour or two hours. MariaDB can bound how long a transaction is
  /// idle; MySQL bounds only how long a connection is, and one that was idle is made again.
  /// A statement may take as long as the client waits for it, less a second; 0 is for ever.
  private static func sessionSettings(_ options: MySQLOptions) -> [String] {
    let limit = max(options.readTimeoutSeconds, 1) - 1
    return [
      """
      SET NAMES utf8mb4 COLLATE utf8mb4_general_ci, max_sort_length = 1024,
        time_zone = '+00:00',
        sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', div_precision_increment = 4,
        sql_auto_is_null = 0, sql_select_limit = 18446744073709551615,
        max_join_size = 18446744073709551615, sql_big_selects = 1, sql_safe_updates = 0,
        foreign_key_checks = 1, unique_checks = 1, autocommit = 1, completion_type = 'NO_CHAIN',
        innodb_lock_wait_timeout = 5, lock_wait_timeout = \(max(limit, 1))
        /*M!100300 , old_mode = '', idle_transaction_timeout = 5, idle_readonly_transaction_timeout = 0,
          idle_write_transaction_timeout = 0, max_statement_time = \(limit) */
        /*!80000 , wait_timeout = 8, max_execution_time = \(limit)000 */
      """,
      "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE",
    ]
  }

  /// - Parameter address: Where, among those of `options`; nil for the first.
  /// - Throws: `MySQLError` (`isUnavailable` where the server cannot be reached).
  package init(_ options: MySQLOptions, at address: MySQLAddress? = nil) throws(MySQLError) {
    let address = address ?? options.addresses[0]
    guard libraryIsReady, let handle = mysql_init(nil) else {
      throw MySQLError(code: 2008, message: "out of memory")
    }
    self.handle = handle
    chattrix_set_timeouts(
      handle, options.connectTimeoutSeconds, options.readTimeoutSeconds,
      options.readTimeoutSeconds)
    mysql_options(handle, MYSQL_SET_CHARSET_NAME, "utf8mb4")
    if options.socket == nil, address.usesTCP { chattrix_use_tcp(handle) }
    let connected = mysql_real_connect(
      handle, options.socket == nil ? address.host : nil, options.user, options.password,
      options.database, UInt32(address.port), options.socket, UInt(CLIENT_FOUND_ROWS))
    guard connected != nil else { throw failure() }
    chattrix_wait_in_receive(handle, channel, options.readTimeoutSeconds)
    for setting in Self.sessionSettings(options) { try run(setting) }
    // The server's own clock. A server with `secure_timestamp` refuses to have it set, to anything.
    _ = try? run("SET timestamp = DEFAULT")
    // A statement that waited for a row takes it as it is by then, and does not fail (ER_CHECKREAD). MariaDB has the
    // variable since 10.6.18, on since 11.6.2.
    _ = try? run("SET innodb_snapshot_isolation = 0")
    if options.addresses.count > 1 { try joinCluster() }
  }

  /// A transaction sees what any node had committed before, and is run where it may write. Servers of another kind do
  /// not know a kind's variable.
  ///
  /// - Galera: a node waits for what the others had committed.
  /// - Group Replication: so does a new primary, and with several primaries each of them (MySQL 8.4 Reference Manual,
  ///   20.5.3 "Transaction Consistency Guarantees").
  private func joinCluster() throws(MySQLError) {
    _ = try? run("SET wsrep_sync_wait = 7")
    _ = try? run(
      """
      SET SESSION group_replication_consistency =
        IF(@@GLOBAL.group_replication_single_primary_mode, 'BEFORE_ON_PRIMARY_FAILOVER', 'BEFORE')
      """)
    try checkNode()
  }

  /// A node that has become read-only, as the primary that was, goes on serving reads, of what it may not have any more:
  /// who only reads would never leave it. Costs a round trip.
  /// - Throws: `MySQLError`; `isRefused` where the node is read-only, or cut off from the others.
  package func checkNode() throws(MySQLError) {
    var isReadOnly = false
    do {
      // A number, or the name of a state since MariaDB 12.
      isReadOnly = try queryRow("SELECT @@GLOBAL.read_only NOT IN ('0', 'OFF')")?.int(0) == 1
    } catch let error as MySQLError {
      // What a Galera node without a quorum says of a statement without tables: it cannot wait for the others' changes.
      throw error.isConflict ? .nodeIsApart : error
    } catch {}
    guard !isReadOnly else { throw .nodeIsReadOnly }
  }

  deinit {
    statements.removeAll()
    mysql_close(handle)
    channel.deallocate()
  }

  /// Whether the server has closed the connection while it was idle; costs a system call.
  package var isClosed: Bool { chattrix_is_closed(handle) }

  /// Runs fixed text without parameters: transaction control, session settings, migrations.
  package func run(_ sql: String) throws(MySQLError) {
    guard mysql_real_query(handle, sql, UInt(sql.utf8.count)) == 0 else { throw failure(sql) }
    while true {
      mysql_free_result(mysql_store_result(handle))
      let next = mysql_next_result(handle)
      if next < 0 { return }
      if next > 0 { throw failure(sql) }
    }
  }

  /// Runs a statement that changes rows.
  /// - Returns: How many rows matched its WHERE, changed or not (CLIENT_FOUND_ROWS); for
  ///   `INSERT … ON DUPLICATE KEY UPDATE` see the server's manual.
  @discardableResult
  package func execute(_ sql: String, _ parameters: [MySQLValue] = []) throws(MySQLError) -> Int {
    let statement = try executed(sql, parameters)
    try statement.discard()
    return statement.affectedRows
  }

  /// Hands each row to `body` while it is fetched. Until the last one has been, nothing else can run
  /// on this connection.
  /// - Throws: `MySQLError`, and what `body` throws.
  package func read(
    _ sql: String, _ parameters: [MySQLValue], _ body: (borrowing MySQLRow) throws -> Void
  ) throws {
    try executed(sql, parameters).read { _, row in try body(row) }
  }

  /// The same for a CALL, which has several results, with the number of the row's, counted from 0.
  package func readResults(
    _ sql: String, _ parameters: [MySQLValue],
    _ body: (_ result: Int, borrowing MySQLRow) throws -> Void
  ) throws {
    try executed(sql, parameters).read(body)
  }

  /// What `body` makes of the first row; nil where there is none.
  /// - Throws: `MySQLError`, and what `body` throws.
  package func first<Value>(
    _ sql: String, _ parameters: [MySQLValue], _ body: (borrowing MySQLRow) throws -> Value
  ) throws -> Value? {
    var value: Value?
    try read(sql, parameters) { row in if value == nil { value = try body(row) } }
    return value
  }

  /// What `body` makes of each row.
  /// - Throws: `MySQLError`, and what `body` throws.
  package func map<Value>(
    _ sql: String, _ parameters: [MySQLValue], _ body: (borrowing MySQLRow) throws -> Value
  ) throws -> [Value] {
    var values: [Value] = []
    try read(sql, parameters) { row in values.append(try body(row)) }
    return values
  }

  /// Copies of all rows.
  package func query(_ sql: String, _ parameters: [MySQLValue] = []) throws -> [MySQLRecord] {
    try map(sql, parameters) { $0.record() }
  }

  /// A copy of the first row, or nil.
  package func queryRow(_ sql: String, _ parameters: [MySQLValue] = []) throws -> MySQLRecord? {
    try first(sql, parameters) { $0.record() }
  }

  private func executed(_ sql: String, _ parameters: [MySQLValue]) throws(MySQLError)
    -> MySQLStatement
  {
    let statement = try prepared(sql)
    do throws(MySQLError) {
      try statement.execute(parameters)
      return statement
    } catch {
      guard error.mustPrepareAgain else { throw error }
      statements[sql] = nil
      let again = try prepared(sql)
      try again.execute(parameters)
      return again
    }
  }

  private func prepared(_ sql: String) throws(MySQLError) -> MySQLStatement {
    if let statement = statements[sql] { return statement }
    if statements.count >= Self.statementLimit { statements.removeAll() }
    guard let raw = mysql_stmt_init(handle) else { throw failure(sql) }
    let statement = try MySQLStatement(raw, sql: sql)
    statements[sql] = statement
    return statement
  }

  private func failure(_ sql: String? = nil) -> MySQLError {
    MySQLError(
      code: mysql_errno(handle), state: String(cString: mysql_sqlstate(handle)),
      message: String(cString: mysql_error(handle)), sql: sql)
  }
}
