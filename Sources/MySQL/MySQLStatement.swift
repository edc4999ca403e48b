// A prepared statement and the buffers that its results are fetched into. Buffers live as long as
// the statement, so that running it again allocates nothing but the row's own values.

import CMySQL
import System

final class MySQLStatement {
  private let handle: UnsafeMutablePointer<MYSQL_STMT>
  private let sql: String
  private let parameterCount: Int
  private let columns: [MySQLColumn]
  private let results: UnsafeMutableBufferPointer<MYSQL_BIND>

  /// Takes over `handle`, which `mysql_stmt_init` made.
  init(_ handle: UnsafeMutablePointer<MYSQL_STMT>, sql: String) throws(MySQLError) {
    self.handle = handle
    self.sql = sql
    guard mysql_stmt_prepare(handle, sql, UInt(sql.utf8.count)) == 0 else {
      let error = MySQLStatement.failure(handle, sql)
      chattrix_close_statement(handle)
      throw error
    }
    parameterCount = Int(mysql_stmt_param_count(handle))
    var columns: [MySQLColumn] = []
    if let metadata = mysql_stmt_result_metadata(handle) {
      defer { mysql_free_result(metadata) }
      for index in 0..<mysql_num_fields(metadata) {
        columns.append(MySQLColumn(mysql_fetch_field_direct(metadata, index).pointee))
      }
    }
    self.columns = columns
    results = .allocate(capacity: columns.count)
    for (index, column) in columns.enumerated() { column.bind(&results[index]) }
  }

  deinit {
    chattrix_close_statement(handle)
    results.deallocate()
  }

  var affectedRows: Int { Int(clamping: mysql_stmt_affected_rows(handle)) }

  func execute(_ parameters: [MySQLValue]) throws(MySQLError) {
    guard parameters.count == parameterCount else {
      throw MySQLError(
        code: 2034, message: "\(parameters.count) values for \(parameterCount) places", sql: sql)
    }
    let arena = MySQLParameters(parameters)
    defer { arena.deallocate() }
    guard !chattrix_bind_param_failed(handle, arena.binds.baseAddress),
      mysql_stmt_execute(handle) == 0
    else { throw failure() }
  }

  /// All rows of the result; the statement is ready for its next run afterwards.
  func fetchAll() throws(MySQLError) -> [MySQLRow] {
    defer { chattrix_free_result(handle) }
    guard !chattrix_bind_result_failed(handle, results.baseAddress) else { throw failure() }
    guard mysql_stmt_store_result(handle) == 0 else {
      let error = failure()
      chattrix_forget_rows(handle)
      throw error
    }
    var rows: [MySQLRow] = []
    while true {
      switch mysql_stmt_fetch(handle) {
      case 0, MYSQL_DATA_TRUNCATED: rows.append(try currentRow())
      case MYSQL_NO_DATA: return rows
      default: throw failure()
      }
    }
  }

  private func currentRow() throws(MySQLError) -> MySQLRow {
    try refetchTruncated()
    var values: [MySQLValue] = []
    values.reserveCapacity(columns.count)
    for column in columns { values.append(column.value) }
    return MySQLRow(values: values)
  }

  /// Fetches the columns again that did not fit, into buffers that are large enough from then on.
  ///
  /// All of them before the result is bound anew: MariaDB's library forgets with that call where in
  /// the row its columns are.
  private func refetchTruncated() throws(MySQLError) {
    var hasGrown = false
    for (index, column) in columns.enumerated() where column.isTruncated {
      column.grow()
      column.bind(&results[index])
      var bind = results[index]
      guard mysql_stmt_fetch_column(handle, &bind, UInt32(index), 0) == 0 else { throw failure() }
      hasGrown = true
    }
    if hasGrown, chattrix_bind_result_failed(handle, results.baseAddress) { throw failure() }
  }

  private func failure() -> MySQLError { MySQLStatement.failure(handle, sql) }

  private static func failure(_ handle: UnsafeMutablePointer<MYSQL_STMT>, _ sql: String)
    -> MySQLError
  {
    MySQLError(
      code: mysql_stmt_errno(handle), state: String(cString: mysql_stmt_sqlstate(handle)),
      message: String(cString: mysql_stmt_error(handle)), sql: sql)
  }
}
