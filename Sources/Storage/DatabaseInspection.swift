// What a database lacks of what the programs need, found out without a change (`chattrix-ctl doctor`).

import MySQL
import System

package struct DatabaseInspection {
  private let database: Database

  /// What the programs write, each with a column of its primary key.
  private static let written = [
    ("calls", "id"), ("user_lines", "user_id"), ("call_events", "user_id"),
    ("call_history", "call_id"), ("call_history_totals", "user_id"), ("call_statistics", "user_id"),
    ("call_quality_metrics", "call_id"), ("token_audit", "id"), ("webhook_events", "call_id"),
    ("agora_presence", "call_id"), ("agora_notices", "notice_id"), ("user_availability", "user_id"),
  ]
  /// What they only read: views of an application's own tables, maybe.
  private static let read = ["users", "contacts"]

  /// Connects with the first question.
  package init(_ database: Database) { self.database = database }

  /// As the server names its version.
  /// - Throws: `MySQLError`.
  package func serverVersion() throws -> String {
    try database.read { try $0.queryRow("SELECT VERSION()")?.text(0) ?? "" }
  }

  package struct Schema {
    /// Migrations that the database has not seen.
    package var pending: [String] = []
    /// Versions that are of no file here: of a newer program.
    package var unknown: [Int] = []
    /// Migrations that have begun and not ended.
    package var unfinished: [MigrationProgress] = []
    /// Whether a program is migrating now.
    package var isMigrating = false
    /// Stored procedures that are not there, and those whose text is another.
    package var missingRoutines: [String] = []
    package var otherRoutines: [String] = []
  }

  /// - Parameter folder: Of the SQL files.
  /// - Throws: `MySQLError`, `MigrationError`, `SystemError`.
  package func schema(comparedWith folder: String) throws -> Schema {
    let files = try Migrations(folder: folder).files
    let routines = try Routines(folder: "\(folder)/routines")
    return try database.read { connection in
      let applied = try Self.appliedVersions(connection)
      let differing = try routines.differing(connection)
      let unfinished = try MigrationProgress.all(connection)
      return Schema(
        pending: files.filter { !applied.contains($0.version) }.map(\.name),
        unknown: applied.subtracting(files.map(\.version)).sorted(), unfinished: unfinished,
        isMigrating: try Migrations.isLocked(connection),
        missingRoutines: differing.missing, otherRoutines: differing.other)
    }
  }

  private static func appliedVersions(_ connection: MySQLConnection) throws -> Set<Int> {
    let rows = try connection.queryIfTableExists("SELECT version FROM schema_migrations")
    return Set(rows.map { Int($0.int(0)) })
  }

  /// Tries each kind of statement on each table, so that no row is read or written.
  /// - Returns: What is refused, as `INSERT on calls`.
  /// - Throws: `MySQLError` where it is not for want of a right.
  package func missingRights() throws -> [String] {
    var missing: [String] = []
    func attempt(_ verb: String, _ table: String, _ sql: String) throws {
      do { try database.read { try $0.run(sql) } } catch let error as MySQLError {
        if error.isDenied { missing.append("\(verb) on \(table)") }
        // A table or procedure that is not there is the schema's finding.
        if error.isUnavailable, !error.isRoutineMissing { throw error }
      }
    }
    for table in Self.read + Self.written.map(\.0) {
      try attempt("SELECT", table, "SELECT * FROM \(table) WHERE FALSE")
    }
    for (table, column) in Self.written {
      try attempt("INSERT", table, "INSERT INTO \(table) SELECT * FROM \(table) WHERE FALSE")
      try attempt("UPDATE", table, "UPDATE \(table) SET \(column) = \(column) WHERE FALSE")
      try attempt("DELETE", table, "DELETE FROM \(table) WHERE FALSE")
    }
    // Of a call that is not there: it locks nothing and leaves no transaction open.
    try attempt(
      "EXECUTE", "stored procedures", "CALL lock_call_1('', NULL, FALSE, FALSE, FALSE)")
    return missing
  }

  /// The database's clock beside this host's.
  /// - Throws: `MySQLError`.
  package func clock() throws -> ClockComparison {
    try database.read { connection in
      let asked = Timestamp.now().milliseconds
      let answer = try connection.first("SELECT UTC_TIMESTAMP(3)", []) { $0.time(0) } ?? nil
      return ClockComparison(
        asked: asked, answer: answer?.milliseconds, answered: Timestamp.now().milliseconds)
    }
  }
}
