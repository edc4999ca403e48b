// How far a migration has come: a row of `schema_progress` from its first statement to its last. It is not in
// `schema_migrations`, where the programs of the version before would take it for one that has been applied.

import Crypto
import MySQL
import System

package struct MigrationProgress: Sendable, Equatable {
  package let version: Int
  package let name: String
  /// How many statements the file has.
  package let statements: Int
  /// How many of them are done.
  package fileprivate(set) var done: Int
  /// `done`, or one more: the outcome of the next one is not known.
  fileprivate(set) var begun: Int
  /// Of the statements that were begun, SHA-256 in hexadecimal digits.
  fileprivate var digest: String

  /// Whether the first statement that is not done may have been done without a record of it.
  package var isUncertain: Bool { begun > done }

  init(of migration: Migration) {
    (version, name) = (migration.version, migration.name)
    (statements, done, begun) = (migration.statements.count, 0, 0)
    digest = migration.digest(ofFirst: 0)
  }

  private init(_ row: MySQLRecord) {
    (version, name) = (Int(row.int(0)), row.text(1))
    (statements, done, begun) = (Int(row.int(2)), Int(row.int(3)), Int(row.int(4)))
    digest = row.text(5)
  }

  /// Whether a file has the statements that were begun.
  func fits(_ migration: Migration) -> Bool {
    begun <= migration.statements.count && migration.digest(ofFirst: begun) == digest
  }

  /// Makes the table.
  /// - Throws: `MySQLError`.
  static func prepare(_ connection: MySQLConnection) throws(MySQLError) {
    try connection.run(
      """
      CREATE TABLE IF NOT EXISTS schema_progress (
        version INT UNSIGNED NOT NULL PRIMARY KEY, name VARCHAR(255) NOT NULL,
        statements INT UNSIGNED NOT NULL, done INT UNSIGNED NOT NULL, begun INT UNSIGNED NOT NULL,
        digest CHAR(64) CHARACTER SET ascii NOT NULL, changed_at DATETIME(3) NOT NULL) ENGINE = InnoDB
      """)
  }

  /// Those of all migrations that have begun and not ended, by version.
  /// - Throws: `MySQLError`.
  static func all(_ connection: MySQLConnection) throws -> [MigrationProgress] {
    try connection.queryIfTableExists(
      "SELECT version, name, statements, done, begun, digest FROM schema_progress ORDER BY version"
    ).map(MigrationProgress.init)
  }

  /// - Throws: `MySQLError`.
  func insert(_ connection: MySQLConnection) throws {
    try connection.execute(
      "INSERT INTO schema_progress VALUES (?, ?, ?, ?, ?, ?, UTC_TIMESTAMP(3))",
      [.int(version), .text(name), .int(statements), .int(done), .int(begun), .text(digest)])
  }

  /// Writes the counts, provided that the row is still as this program knows it.
  /// - Throws: `MySQLError`, `MigrationError.overtaken`.
  mutating func record(
    done: Int, begun: Int, of migration: Migration, _ connection: MySQLConnection
  ) throws {
    let digest = migration.digest(ofFirst: begun)
    let count = try connection.execute(
      """
      UPDATE schema_progress SET done = ?, begun = ?, digest = ?, statements = ?,
        changed_at = UTC_TIMESTAMP(3)
      WHERE version = ? AND done = ? AND begun = ?
      """,
      [
        .int(done), .int(begun), .text(digest), .int(migration.statements.count), .int(version),
        .int(self.done), .int(self.begun),
      ])
    guard count == 1 else { throw MigrationError.overtaken(name) }
    (self.done, self.begun, self.digest) = (done, begun, digest)
  }

  /// Notes the migration as applied.
  /// - Throws: `MySQLError`, `MigrationError.overtaken`.
  func finish(_ connection: MySQLConnection) throws {
    try connection.transaction {
      try connection.execute(
        "INSERT INTO schema_migrations (version, name, applied_at) VALUES (?, ?, UTC_TIMESTAMP(3))",
        [.int(version), .text(name)])
      let count = try connection.execute(
        "DELETE FROM schema_progress WHERE version = ? AND done = ?", [.int(version), .int(done)])
      guard count == 1 else { throw MigrationError.overtaken(name) }
    }
  }
}

extension Migration {
  /// Of the texts of its first statements.
  fileprivate func digest(ofFirst count: Int) -> String {
    // A NUL stands in no statement.
    hexadecimal(SHA256.digest(statements.prefix(count).flatMap { Array($0.text.utf8) + [0] }))
  }
}

extension MySQLConnection {
  /// Copies of all rows, in their order; none where the table is not there, as before the first migration.
  /// - Throws: `MySQLError`.
  func queryIfTableExists(_ sql: String) throws -> [MySQLRecord] {
    do { return try query(sql) } catch let error as MySQLError where error.isTableMissing {
      return []
    }
  }

  /// Runs `body` between START TRANSACTION and COMMIT; rolled back where it throws.
  /// - Throws: `MySQLError`, and what `body` throws.
  func transaction(_ body: () throws -> Void) throws {
    try run("START TRANSACTION")
    do {
      try body()
      try run("COMMIT")
    } catch {
      try? run("ROLLBACK")
      throw error
    }
  }
}
