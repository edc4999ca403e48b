// Prepared statements: kept, prepared again by the server where a table changed, bounded in number.

import MySQL
import System
import TestServers
import Testing

@Suite(.needsServer, .emptyDatabase) struct StatementTests {
  private let connection: MySQLConnection
  private let table: String

  init() throws {
    connection = try TestDatabase.current.connect()
    table = "t_" + Randomness.system.hexadecimal(bytes: 6)
    try connection.run("CREATE TABLE \(table) (n INT PRIMARY KEY, v VARCHAR(20))")
    try connection.execute("INSERT INTO \(table) VALUES (1, 'one'), (2, 'two')")
  }

  private var select: String { "SELECT v FROM \(table) WHERE n = ?" }

  @Test func aStatementOutlivesAnAlteredTable() throws {
    #expect(try connection.queryRow(select, [.int(1)])?.text(0) == "one")
    try connection.run("ALTER TABLE \(table) ADD COLUMN w INT, ADD INDEX (v(10))")
    #expect(try connection.queryRow(select, [.int(2)])?.text(0) == "two")
    try connection.run("ALTER TABLE \(table) MODIFY v LONGTEXT")
    try connection.execute("INSERT INTO \(table) (n, v) VALUES (3, REPEAT('x', 70000))")
    #expect(try connection.queryRow(select, [.int(3)])?.text(0).utf8.count == 70_000)
  }

  @Test func aStatementOutlivesARenamedAndARemadeTable() throws {
    let other = try TestDatabase.current.connect()
    #expect(try connection.queryRow(select, [.int(1)])?.text(0) == "one")
    try other.run("RENAME TABLE \(table) TO \(table)_away")
    #expect(failure { _ = try connection.query(select, [.int(1)]) }?.code == 1146)
    #expect(failure { _ = try connection.query(select, [.int(1)]) }?.code == 1146)
    try other.run("RENAME TABLE \(table)_away TO \(table)")
    #expect(try connection.queryRow(select, [.int(1)])?.text(0) == "one")
    try other.run("DROP TABLE \(table)")
    try other.run("CREATE TABLE \(table) (v INT, n BIGINT)")
    try other.execute("INSERT INTO \(table) VALUES (77, 1)")
    #expect(try connection.queryRow(select, [.int(1)])?.text(0) == "77")
  }

  @Test func aFailedStatementRunsAgain() throws {
    let insert = "INSERT INTO \(table) VALUES (?, ?)"
    let error = failure { try connection.execute(insert, [.int(1), .text("again")]) }
    #expect(error?.isDuplicate == true)
    #expect(try connection.execute(insert, [.int(9), .text("nine")]) == 1)
    #expect(
      failure { try connection.execute(insert, [.int(10), .text(text(21))]) }?.code == 1406)
    #expect(try connection.execute(insert, [.int(10), .text(text(20))]) == 1)
  }

  private func text(_ length: Int) -> String { String(repeating: "x", count: length) }

  @Test(arguments: [0, 1, 3])
  func aWrongNumberOfValuesIsRefused(count: Int) throws {
    let values = Array(repeating: MySQLValue.int(1), count: count)
    let statement = "SELECT v FROM \(table) WHERE n = ? OR n = ?"
    let error = failure { _ = try connection.query(statement, values) }
    #expect(error?.code == 2034)
    #expect(error?.isUnavailable == false)
    #expect(try connection.query(statement, [.int(1), .int(2)]).count == 2)
  }

  @Test func changedRowsAreThoseThatMatched() throws {
    let update = "UPDATE \(table) SET v = ? WHERE n <= ?"
    #expect(try connection.execute(update, [.text("same"), .int(2)]) == 2)
    #expect(try connection.execute(update, [.text("same"), .int(2)]) == 2)
    #expect(try connection.execute(update, [.text("same"), .int(0)]) == 0)
    #expect(try connection.execute("DELETE FROM \(table)") == 2)
  }

  @Test func aResultThatNobodyReadsDoesNotBlockTheNext() throws {
    try connection.execute("SELECT v FROM \(table)")
    #expect(try connection.query("SELECT v FROM \(table)").count == 2)
    try connection.run("SELECT 1")
    #expect(try connection.queryRow("SELECT 5")?.int(0) == 5)
  }

  @Test func statementsAreBoundedInNumber() throws {
    for number in 0..<450 {
      #expect(
        try connection.queryRow("SELECT ? + \(number)", [.int(1)])?.int(0) == Int64(number + 1))
    }
    #expect(try count("Com_stmt_prepare") >= 450)
    #expect(try count("Com_stmt_prepare") - count("Com_stmt_close") <= 210)
  }

  /// One of the server's counters of this connection.
  private func count(_ name: String) throws -> Int {
    Int(try connection.queryRow("SHOW SESSION STATUS LIKE '\(name)'")?.text(1) ?? "") ?? -1
  }

  @Test func malformedSQLNamesItselfButNoValue() {
    let error = failure {
      _ = try connection.query("SELEC v FROM t WHERE v = ?", [.text("s3cret")])
    }
    #expect(error?.code == 1064)
    #expect(error?.sql == "SELEC v FROM t WHERE v = ?")
    #expect(error?.description.contains("s3cret") == false)
    #expect(error?.backtrace.lines.isEmpty == false)
  }
}
