import TestServers
import Testing

@testable import Storage

@Suite struct SQLScriptTests {
  private func texts(_ sql: String) throws -> [String] { try SQLScript(sql).statements.map(\.text) }

  @Test(arguments: [
    ("", []), (" ;; \n -- none\n", []), ("SELECT 1", ["SELECT 1"]),
    ("SELECT 1;SELECT 2 ; ", ["SELECT 1", "SELECT 2"]),
    (
      "-- one;\nSELECT 1; # two;\nSELECT /* ; */ 2; /* three; */", ["SELECT 1", "SELECT /* ; */ 2"]
    ),
    ("SELECT ';', \";\", `;`;SELECT 2", ["SELECT ';', \";\", `;`", "SELECT 2"]),
    (#"SELECT 'it''s;', '\';', "\\";SELECT 2"#, [#"SELECT 'it''s;', '\';', "\\""#, "SELECT 2"]),
    (#"SELECT 1 AS `\`;SELECT 2"#, [#"SELECT 1 AS `\`"#, "SELECT 2"]),
    ("SELECT 1--2;SELECT 3 --", ["SELECT 1--2", "SELECT 3"]),
    (
      "SELECT 1 /*!80000 , 2 */ ; SELECT /*M! 3 */",
      ["SELECT 1 /*!80000 , 2 */", "SELECT /*M! 3 */"]
    ),
    ("SELECT 'open; SELECT 2", ["SELECT 'open; SELECT 2"]), ("SELECT 1 /* open", ["SELECT 1"]),
    ("SELECT 'é;ü'; SELECT 2", ["SELECT 'é;ü'", "SELECT 2"]),
  ])
  func splitting(sql: String, expected: [String]) throws {
    #expect(try texts(sql) == expected)
  }

  @Test("what makes a procedure, function, trigger or event reaches to the end of its file")
  func programs() throws {
    let trigger = "CREATE DEFINER = `a`@`b` TRIGGER t BEFORE INSERT ON u FOR EACH ROW SET NEW.a = 1"
    #expect(try texts("SELECT 1; \(trigger); SELECT 2;") == ["SELECT 1", "\(trigger); SELECT 2"])
    #expect(try texts("CREATE TABLE event (event INT, `trigger` INT); SELECT 2").count == 2)
    #expect(try texts("DROP TRIGGER t; SELECT 2").count == 2)
  }

  @Test func kinds() throws {
    func kind(_ sql: String) throws -> SQLStatement.Kind? {
      try SQLScript(sql).statements.first?.kind
    }
    for sql in ["create table a (n INT)", "Alter Table a", "DROP VIEW a", "RENAME TABLE a TO b"] {
      #expect(try kind(sql) == .definition)
    }
    for sql in ["INSERT INTO a VALUES ('@')", "WITH a AS (SELECT 1) SELECT 1", "SELECT @@version"] {
      #expect(try kind(sql) == .change)
    }
    #expect(try kind("SET foreign_key_checks = 0") == .setting)
  }

  @Test(
    "what ends with the session, or with the transaction, is refused before anything is done",
    arguments: [
      "CREATE TEMPORARY TABLE a (n INT)", "CREATE OR REPLACE TEMPORARY TABLE a (n INT)",
      "DROP TEMPORARY TABLE a", "SET @a = 1", "SELECT 1 INTO @a", "INSERT INTO a VALUES (@a)",
      "PREPARE a FROM 'SELECT 1'", "EXECUTE a", "LOCK TABLES a WRITE", "START TRANSACTION", "BEGIN",
      "COMMIT", "SET autocommit = 0", "SET STATEMENT max_statement_time = 1 FOR ALTER TABLE a",
      "USE a",
      "CALL p()", "DELIMITER $$", "/*!80000 SELECT 1 */", "'a'", "SET GLOBAL read_only = 1",
    ])
  func unsupported(sql: String) {
    #expect(throws: SQLScript.Unsupported.self) { try SQLScript("SELECT 1; \(sql);") }
  }

  @Test func headlines() throws {
    let long = "SELECT " + String(repeating: "1", count: 80)
    #expect(try SQLScript("\(long)").statements[0].headline.count == 60)
    #expect(try SQLScript("SELECT 1,\n  2").statements[0].headline == "SELECT 1,")
  }

  @Test("the files of the product")
  func product() throws {
    let files = try Migrations(folder: TestDatabase.sqlFolder).files
    #expect(files.flatMap(\.statements).allSatisfy { $0.kind == .definition })
    #expect(files[0].statements.count == 14)
  }
}
