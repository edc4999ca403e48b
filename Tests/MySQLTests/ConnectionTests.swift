import MySQL
import System
import TestServers
import Testing

@Suite(.needsServer, .emptyDatabase) struct ConnectionTests {
  private let options = TestDatabase.current.options

  private func failure(_ change: (inout MySQLOptions) -> Void) -> MySQLError? {
    var options = options
    change(&options)
    return MySQLTests.failure { _ = try MySQLConnection(options) }
  }

  @Test func wrongCredentialsAreNotUnavailable() {
    let error = failure { $0.password = "s3cret-wrong" }
    #expect(error?.code == 1045)
    #expect(error?.isUnavailable == false)
    #expect(error?.description.contains("s3cret-wrong") == false)
    #expect(failure { $0.user = "nobody" }?.code == 1045)
    #expect(failure { $0.database = "chattrix_test_missing" }?.isUnavailable == false)
  }

  @Test func nobodyListeningIsUnavailable() {
    #expect(failure { $0.socket = "/nonexistent/mariadb.sock" }?.isUnavailable == true)
    #expect(
      failure {
        $0.socket = nil
        $0.addresses[0].port = 1
      }?.isUnavailable == true)
  }

  @Test("R13.5 a session is in UTC, strict, in UTF-8, and locks no gaps")
  func session() throws {
    let connection = try MySQLConnection(options)
    let row = try #require(
      try connection.queryRow(
        """
        SELECT @@session.time_zone, @@session.sql_mode,
          @@session.character_set_client, @@session.character_set_results,
          TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(), NOW())
        """))
    #expect(row.text(0) == "+00:00")
    #expect(row.text(1).contains("STRICT_ALL_TABLES"))
    #expect(row.text(2) == "utf8mb4")
    #expect(row.text(3) == "utf8mb4")
    #expect(row.int(4) == 0)
    // tx_isolation or transaction_isolation, as the server calls it.
    let isolation = try connection.query(
      """
      SHOW SESSION VARIABLES WHERE Variable_name IN ('tx_isolation', 'transaction_isolation')
      """)
    #expect(isolation.first?.text(1) == "READ-COMMITTED")
  }

  @Test func manyConnectionsComeAndGo() throws {
    let watcher = try MySQLConnection(options)
    for _ in 0..<50 {
      let connection = try MySQLConnection(options)
      #expect(try connection.queryRow("SELECT ?", [.text("here")])?.text(0) == "here")
    }
    let count = try watcher.queryRow(
      "SELECT COUNT(*) FROM information_schema.processlist WHERE db = ?",
      [.text(options.database)])
    #expect((count?.int(0) ?? 0) < 20)
  }

  @Test func oneStatementAtATime() throws {
    let connection = try MySQLConnection(options)
    #expect(MySQLTests.failure { try connection.run("SELECT 1; SELECT 2") }?.code == 1064)
    try connection.run("SELECT 1; -- and no other")
  }
}
