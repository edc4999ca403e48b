// Numbered SQL files, applied once each, in their order, by one program at a time (design §2). What is cut off midway
// is taken up again behind the last statement that was done (MigrationRun.swift).

import MySQL
import System

package struct Migration: Sendable, Equatable {
  /// The number that the file's name begins with.
  package let version: Int
  package let name: String
  let statements: [SQLStatement]
}

package enum MigrationError: Error, CustomStringConvertible {
  case badFileName(String)
  case duplicateVersion(Int)
  case noFiles(folder: String)
  case lockTimeout
  case unsupported(file: String, statement: String)
  case edited(String, begun: Int)
  case overtaken(String)

  package var description: String {
    switch self {
    case .badFileName(let name): "\(name): a migration is named NNNN_what_it_does.sql"
    case .duplicateVersion(let version): "two migrations have the number \(version)"
    case .noFiles(let folder): "no migrations in \(folder)"
    case .lockTimeout: "another migration has been running for 60 seconds"
    case .unsupported(let file, let statement):
      "\(file): a migration cannot have the statement \(statement)"
    case .edited(let name, let begun):
      "\(name): its first \(begun == 1 ? "statement has begun and is another" : "\(begun) statements have begun and are others") "
        + "now; chattrix-ctl migrate of the version that began it goes on with it"
    case .overtaken(let name): "\(name): another migration has gone on with it"
    }
  }
}

package struct Migrations {
  package let files: [Migration]
  private let routines: Routines

  private static let fileLimitBytes = 1 << 20

  /// Reads `NNNN_name.sql` from a folder.
  /// - Throws: `MigrationError`, `SystemError`.
  package init(folder: String) throws {
    var files: [Migration] = []
    for name in try listFolder(folder) where name.hasSuffix(".sql") {
      guard let underscore = name.firstIndex(of: "_"), let version = Int(name[..<underscore]),
        version > 0
      else { throw MigrationError.badFileName(name) }
      if files.contains(where: { $0.version == version }) {
        throw MigrationError.duplicateVersion(version)
      }
      let bytes = try readFile("\(folder)/\(name)", limit: Self.fileLimitBytes)
      let statements = try Self.statements(String(decoding: bytes, as: UTF8.self), of: name)
      files.append(
        Migration(version: version, name: String(name.dropLast(4)), statements: statements))
    }
    guard !files.isEmpty else { throw MigrationError.noFiles(folder: folder) }
    self.files = files.sorted { $0.version < $1.version }
    routines = try Routines(folder: "\(folder)/routines")
  }

  private static func statements(_ text: String, of file: String) throws -> [SQLStatement] {
    do throws(SQLScript.Unsupported) { return try SQLScript(text).statements } catch {
      throw MigrationError.unsupported(file: file, statement: error.headline)
    }
  }

  /// `SQL_DIR`, or where an installation has it beside its programs, or `sql` in the current folder.
  /// - Throws: `SystemError`.
  package static func installedFolder() throws -> String {
    if let folder = processEnvironment()["SQL_DIR"], !folder.isEmpty { return folder }
    let program = try programPath()
    let bin = program[..<(program.lastIndex(of: "/") ?? program.startIndex)]
    let installed = "\(bin)/../share/chattrix/sql"
    return (try? listFolder(installed)) != nil ? installed : "sql"
  }

  /// Those of the installation.
  /// - Throws: `SystemError`.
  package static func installedRoutines() throws -> Routines {
    try Routines(folder: "\(installedFolder())/routines")
  }

  /// The lock of a database's migrations, in SQL. MySQL 8 knows names of at most 64 characters.
  static let lockName = "LEFT(CONCAT('chattrix:', DATABASE()), 64)"

  /// Applies what the database has not seen, and makes the stored procedures that it lacks.
  /// - Parameter report: Is told of every step, and may end the run by throwing.
  /// - Returns: What was applied.
  /// - Throws: `MySQLError`, `MigrationError`, and what `report` throws. The files before the one that failed are
  ///   applied and noted, and the next run goes on with that one behind its last statement that was done.
  package func apply(
    _ options: MySQLOptions, report: @escaping (MigrationStep) throws -> Void = { _ in }
  ) throws -> [Migration] {
    var patient = options
    patient.readTimeoutSeconds = 3600
    let connection = try connect(patient)
    // A host that falls sends no FIN, and its lock is not held for longer than this one is waited for.
    try connection.run("SET wait_timeout = CAST(LEAST(@@wait_timeout, 30) AS UNSIGNED)")
    guard try connection.queryRow("SELECT GET_LOCK(\(Self.lockName), 60)")?.int(0) == 1 else {
      throw MigrationError.lockTimeout
    }
    defer { _ = try? connection.query("SELECT RELEASE_LOCK(\(Self.lockName))") }
    let lease = try MigrationLease.take(connection, options)
    defer { lease?.release() }
    let applied = Set(
      try connection.query("SELECT version FROM schema_migrations").map { Int($0.int(0)) })
    let pending = files.filter { !applied.contains($0.version) }
    if !pending.isEmpty { try MigrationProgress.prepare(connection) }
    for migration in pending {
      let run = MigrationRun(
        migration: migration, connection: connection, check: { try lease?.check() }, report: report)
      try run.complete()
    }
    try lease?.check()
    _ = try routines.apply(connection)
    return pending
  }

  /// Whether a program holds the lock or the lease.
  /// - Throws: `MySQLError`.
  static func isLocked(_ connection: MySQLConnection) throws -> Bool {
    let holder = "SELECT IS_USED_LOCK(\(lockName)) IS NOT NULL"
    return try connection.queryRow(holder)?.int(0) == 1 || MigrationLease.isHeld(connection)
  }

  /// To the first node that takes writes; with the table that notes what has been applied.
  private func connect(_ options: MySQLOptions) throws -> MySQLConnection {
    var nodes = MySQLNodes(options)
    var attempts = nodes.count
    while true {
      let connection = try nodes.connect()
      do throws(MySQLError) {
        try connection.run(
          """
          CREATE TABLE IF NOT EXISTS schema_migrations (
            version INT UNSIGNED NOT NULL PRIMARY KEY, name VARCHAR(255) NOT NULL,
            applied_at DATETIME(3) NOT NULL) ENGINE = InnoDB
          """)
        return connection
      } catch {
        attempts -= 1
        guard error.isUnavailable, attempts > 0 else { throw error }
        nodes.failed(error)
      }
    }
  }
}
