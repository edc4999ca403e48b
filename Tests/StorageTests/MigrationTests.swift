import Glibc
import MySQL
import System
import TestServers
import Testing

@testable import Storage

@Suite(.needsServer) struct MigrationTests {
  /// Runs `body` with an empty database and a folder for migrations.
  private func withDatabase(_ body: (TestDatabase, String) throws -> Void) throws {
    let database = try TestDatabase.create()
    let folder = "/tmp/\(database.name)"
    mkdir(folder, 0o700)
    defer {
      database.drop()
      for name in (try? listFolder(folder)) ?? [] { unlink("\(folder)/\(name)") }
      rmdir(folder)
    }
    try body(database, folder)
  }

  private func write(_ folder: String, _ name: String, _ sql: String) throws {
    let file = Descriptor(open("\(folder)/\(name)", O_CREAT | O_WRONLY | O_CLOEXEC, 0o600))
    writeOut(sql, to: file.raw)
  }

  private func tables(_ database: TestDatabase) throws -> Set<String> {
    Set(try database.connect().query("SHOW TABLES").map { $0.text(0) })
  }

  @Test("R13.1 migrating twice is migrating once")
  func twice() throws {
    try withDatabase { database, _ in
      let first = try database.migrate()
      #expect(!first.isEmpty)
      #expect(first.map(\.version) == Set(first.map(\.version)).sorted())
      #expect(try database.migrate() == [])
      let noted = try database.connect().query("SELECT name FROM schema_migrations")
      #expect(noted.map { $0.text(0) } == first.map(\.name))
      #expect(
        try tables(database) == [
          "users", "contacts", "calls", "user_lines", "call_events", "call_history",
          "call_history_totals", "call_statistics", "call_quality_metrics", "token_audit",
          "user_availability", "agora_presence", "agora_notices", "webhook_events",
          "schema_migrations",
        ])
    }
  }

  @Test("R13.1 two at once: each file is applied by one of them")
  func concurrently() throws {
    try withDatabase { database, _ in
      let outcomes = try race(threads: 4, in: TestDatabase(name: "information_schema")) {
        _, _, _ in try database.migrate()
      }[0]
      let applied = try outcomes.map { try $0.get() }
      #expect(applied.filter { !$0.isEmpty }.count == 1)
    }
  }

  @Test func filesAreAppliedInTheOrderOfTheirNumbers() throws {
    try withDatabase { database, folder in
      try write(folder, "0010_third.sql", "INSERT INTO log VALUES ('third');")
      try write(folder, "0001_first.sql", "CREATE TABLE log (entry VARCHAR(20));")
      try write(folder, "2_second.sql", "INSERT INTO log VALUES ('a;b'); -- a comment\n")
      try write(folder, "README.md", "no migration")
      #expect(try Migrations(folder: folder).files.map(\.version) == [1, 2, 10])
      #expect(
        try Migrations(folder: folder).apply(database.options).map(\.name) == [
          "0001_first", "2_second", "0010_third",
        ])
      let entries = try database.connect().query("SELECT entry FROM log")
      #expect(entries.map { $0.text(0) } == ["a;b", "third"])
      try write(folder, "0003_late.sql", "INSERT INTO log VALUES ('late')")
      #expect(
        try Migrations(folder: folder).apply(database.options).map(\.name) == ["0003_late"])
    }
  }

  @Test func aMigrationThatFailsIsNotNoted() throws {
    try withDatabase { database, folder in
      try write(folder, "0001_good.sql", "CREATE TABLE good (n INT);")
      try write(folder, "0002_bad.sql", "CREATE TABLE bad (n INT); SELECT * FROM missing;")
      #expect(throws: MySQLError.self) {
        try Migrations(folder: folder).apply(database.options)
      }
      try write(folder, "0002_bad.sql", "CREATE TABLE IF NOT EXISTS bad (n INT);              ")
      #expect(
        try Migrations(folder: folder).apply(database.options).map(\.name) == ["0002_bad"])
    }
  }

  @Test func foldersThatAreNoneOfOurs() throws {
    try withDatabase { _, folder in
      #expect(throws: MigrationError.self) { try Migrations(folder: folder) }
      try write(folder, "0001_a.sql", "")
      try write(folder, "1_b.sql", "")
      #expect(throws: MigrationError.self) { try Migrations(folder: folder) }
      unlink("\(folder)/1_b.sql")
      #expect(try Migrations(folder: folder).files.count == 1)
      try write(folder, "schema.sql", "")
      #expect(throws: MigrationError.self) { try Migrations(folder: folder) }
      #expect(throws: SystemError.self) { try Migrations(folder: "\(folder)/none") }
    }
  }

  @Test("R13.1 a database with a long name is migrated under a lock as well")
  func longName() throws {
    let database = TestDatabase(
      name: "chattrix_test_" + Randomness.system.hexadecimal(bytes: 24))
    try MySQLConnection(TestServer.options(database: "information_schema")).run(
      "CREATE DATABASE \(database.name)")
    defer { database.drop() }
    #expect(database.name.utf8.count == 62)
    try database.migrate()
  }
}
