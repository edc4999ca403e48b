import Glibc
import MySQL
import System
import TestServers
import Testing

@testable import Storage

@Suite(.needsServer) struct MigrationTests {
  @Test("R13.1 migrating twice is migrating once")
  func twice() throws {
    try MigrationFixture.with { fixture throws in
      let database = fixture.database
      let first = try database.migrate()
      #expect(!first.isEmpty)
      #expect(first.map(\.version) == Set(first.map(\.version)).sorted())
      #expect(try database.migrate() == [])
      let noted = try database.connect().query("SELECT name FROM schema_migrations")
      #expect(noted.map { $0.text(0) } == first.map(\.name))
      #expect(
        try Set(fixture.definitions().keys) == [
          "users", "contacts", "calls", "user_lines", "call_events", "call_history",
          "call_history_totals", "call_statistics", "call_quality_metrics", "token_audit",
          "user_availability", "agora_presence", "agora_notices", "webhook_events",
          "schema_migrations", "schema_progress",
        ])
    }
  }

  @Test("R13.1 two at once: each file is applied by one of them")
  func concurrently() throws {
    try MigrationFixture.with { fixture throws in
      let database = fixture.database
      let outcomes = try race(threads: 4, in: TestDatabase(name: "information_schema")) {
        _, _, _ in try database.migrate()
      }[0]
      let applied = try outcomes.map { try $0.get() }
      #expect(applied.filter { !$0.isEmpty }.count == 1)
    }
  }

  @Test func filesAreAppliedInTheOrderOfTheirNumbers() throws {
    try MigrationFixture.with { fixture throws in
      fixture.write("0010_third.sql", "INSERT INTO log VALUES ('third');")
      fixture.write("0001_first.sql", "CREATE TABLE log (entry VARCHAR(20));")
      fixture.write("2_second.sql", "INSERT INTO log VALUES ('a;b'); -- a comment\n")
      fixture.write("README.md", "no migration")
      #expect(try Migrations(folder: fixture.folder).files.map(\.version) == [1, 2, 10])
      #expect(try fixture.apply() == ["0001_first", "2_second", "0010_third"])
      let entries = try fixture.database.connect().query("SELECT entry FROM log")
      #expect(entries.map { $0.text(0) } == ["a;b", "third"])
      fixture.write("0003_late.sql", "INSERT INTO log VALUES ('late')")
      #expect(try fixture.apply() == ["0003_late"])
    }
  }

  @Test func aMigrationThatFailsIsNotNoted() throws {
    try MigrationFixture.with { fixture throws in
      fixture.write("0001_good.sql", "CREATE TABLE good (n INT);")
      fixture.write("0002_bad.sql", "CREATE TABLE bad (n INT); SELECT * FROM missing;")
      for _ in 0..<2 { #expect(throws: MySQLError.self) { try fixture.apply() } }
      #expect(try fixture.names() == ["0001_good"])
      fixture.write("0002_bad.sql", "CREATE TABLE bad (n INT); SELECT * FROM good;")
      #expect(try fixture.apply() == ["0002_bad"])
    }
  }

  @Test func foldersThatAreNoneOfOurs() throws {
    try MigrationFixture.with { fixture throws in
      let folder = fixture.folder
      #expect(throws: MigrationError.self) { try Migrations(folder: folder) }
      fixture.write("0001_a.sql", "")
      fixture.write("1_b.sql", "")
      #expect(throws: MigrationError.self) { try Migrations(folder: folder) }
      unlink("\(folder)/1_b.sql")
      #expect(try Migrations(folder: folder).files.count == 1)
      fixture.write("schema.sql", "")
      #expect(throws: MigrationError.self) { try Migrations(folder: folder) }
      #expect(throws: SystemError.self) { try Migrations(folder: "\(folder)/none") }
      unlink("\(folder)/schema.sql")
      fixture.write("0002_lock.sql", "LOCK TABLES a WRITE")
      #expect(throws: MigrationError.self) { try Migrations(folder: folder) }
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
