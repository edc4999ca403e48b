// A prepared statement and the buffers that its results are fetched into. Buffers live as long as
// the statement, so that running it again allocates nothing but what a reader makes of a row.

import CMySQL
import System

final class MySQLStatement {
  private let handle: UnsafeMutablePointer<MYSQL_STMT>
  private let sql: String
  private var parameters: MySQLParameters
  /// By the number of the result; a CALL has as many as its procedure has SELECTs.
  private var results: [MySQLResult] = []

  /// Takes over `handle`, which `mysql_stmt_init` made.
  init(_ handle: UnsafeMutablePointer<MYSQL_STMT>, sql: String) throws(MySQLError) {
    self.handle = handle
    self.sql = sql
    guard mysql_stmt_prepare(handle, sql, UInt(sql.utf8.count)) == 0 else {
      let error = MySQLStatement.failure(handle, sql)
      chattrix_close_statement(handle)
      throw error
    }
    parameters = MySQLParameters(count: Int(mysql_stmt_param_count(handle)))
  }

  deinit { chattrix_close_statement(handle) }

  /// Of the last statement that was executed; of a CALL, what its procedure's last one says.
  var affectedRows: Int { Int(clamping: mysql_stmt_affected_rows(handle)) }

  func execute(_ values: [MySQLValue]) throws(MySQLError) {
    guard values.count == parameters.count else {
      throw MySQLError(
        code: 2034, message: "\(values.count) values for \(parameters.count) places", sql: sql)
    }
    guard !chattrix_bind_param_failed(handle, parameters.bind(values)),
      mysql_stmt_execute(handle) == 0
    else { throw failure() }
  }

  /// Passes over whatever rows came.
  func discard() throws(MySQLError) {
    if mysql_stmt_field_count(handle) == 0, chattrix_has_more_results(handle) == 0 { return }
    while true {
      chattrix_free_result(handle)
      let next = mysql_stmt_next_result(handle)
      if next < 0 { return }
      if next > 0 { throw failure() }
    }
  }

  /// Hands the rows of each result to `body` with the result's number, counted from 0; the statement
  /// is ready for its next run afterwards, whatever `body` throws.
  func read(_ body: (_ result: Int, borrowing MySQLRow) throws -> Void) throws {
    do { try each(body) } catch {
      drain()
      throw error
    }
  }

  private func each(_ body: (_ result: Int, borrowing MySQLRow) throws -> Void) throws {
    var number = 0
    while true {
      let columns = Int(mysql_stmt_field_count(handle))
      if columns > 0 { try eachRow(of: result(number, columns), number, body) }
      let next = mysql_stmt_next_result(handle)
      if next < 0 { break }
      if next > 0 { throw failure() }
      number += 1
    }
    chattrix_free_result(handle)
  }

  private func eachRow(
    of result: MySQLResult, _ number: Int,
    _ body: (_ result: Int, borrowing MySQLRow) throws -> Void
  ) throws {
    guard !chattrix_bind_result_failed(handle, result.binds) else { throw failure() }
    let row = MySQLRow(columns: result.columns)
    while true {
      switch mysql_stmt_fetch(handle) {
      case 0: try body(number, row)
      case MYSQL_DATA_TRUNCATED:
        guard result.refetchTruncated(handle) else { throw failure() }
        try body(number, row)
        guard !chattrix_bind_result_failed(handle, result.binds) else { throw failure() }
      case MYSQL_NO_DATA: return
      default: throw failure()
      }
    }
  }

  /// The buffers of a result, made when it comes for the first time.
  private func result(_ number: Int, _ columns: Int) throws(MySQLError) -> MySQLResult {
    if number < results.count, results[number].columns.count == columns { return results[number] }
    guard let metadata = mysql_stmt_result_metadata(handle) else { throw failure() }
    defer { mysql_free_result(metadata) }
    let made = MySQLResult(metadata)
    results.removeSubrange(min(number, results.count)...)
    results.append(made)
    return made
  }

  /// Takes what is left of the results off the connection.
  private func drain() {
    repeat { chattrix_free_result(handle) } while mysql_stmt_next_result(handle) == 0
  }

  private func failure() -> MySQLError { MySQLStatement.failure(handle, sql) }

  private static func failure(_ handle: UnsafeMutablePointer<MYSQL_STMT>, _ sql: String)
    -> MySQLError
  {
    // MariaDB's library notes an error among the rows with the connection only.
    if mysql_stmt_errno(handle) == 0, let connection = chattrix_connection(handle) {
      return MySQLError(
        code: mysql_errno(connection), state: String(cString: mysql_sqlstate(connection)),
        message: String(cString: mysql_error(connection)), sql: sql)
    }
    return MySQLError(
      code: mysql_stmt_errno(handle), state: String(cString: mysql_stmt_sqlstate(handle)),
      message: String(cString: mysql_stmt_error(handle)), sql: sql)
  }
}
