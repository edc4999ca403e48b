// Numbered SQL files, applied once each, in their order, by one program at a time (design §2).

import MySQL
import System

package struct Migration: Sendable, Equatable {
  /// The number that the file's name begins with.
  package let version: Int
  package let name: String
  package let sql: String
}

package enum MigrationError: Error, CustomStringConvertible {
  case badFileName(String)
  case duplicateVersion(Int)
  case noFiles(folder: String)
  case lockTimeout

  package var description: String {
    switch self {
    case .badFileName(let name): "\(name): a migration is named NNNN_what_it_does.sql"
    case .duplicateVersion(let version): "two migrations have the number \(version)"
    case .noFiles(let folder): "no migrations in \(folder)"
    case .lockTimeout: "another migration has been running for 60 seconds"
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
      files.append(
        Migration(
          version: version, name: String(name.dropLast(4)),
          sql: String(decoding: bytes, as: UTF8.self)))
    }
    guard !files.isEmpty else { throw MigrationError.noFiles(folder: folder) }
    self.files = files.sorted { $0.version < $1.version }
    routines = try Routines(folder: "\(folder)/routines")
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

  /// Applies what the database has not seen, and makes the stored procedures that it lacks.
  /// - Returns: What was applied.
  /// - Throws: `MySQLError`, `MigrationError`. MySQL cannot roll back a CREATE TABLE: after a failure
  ///   the files before the one that failed are applied and noted.
  package func apply(_ options: MySQLOptions) throws -> [Migration] {
    var patient = options
    patient.readTimeoutSeconds = 3600
    let connection = try connect(patient)
    // MySQL 8 knows names of locks of at most 64 characters.
    let lock = MySQLValue.text(String("chattrix:\(options.database)".prefix(64)))
    guard try connection.queryRow("SELECT GET_LOCK(?, 60)", [lock])?.int(0) == 1 else {
      throw MigrationError.lockTimeout
    }
    defer { _ = try? connection.query("SELECT RELEASE_LOCK(?)", [lock]) }
    let lease = try MigrationLease.take(connection, options)
    defer { lease?.release() }
    let applied = Set(
      try connection.query("SELECT version FROM schema_migrations").map { Int($0.int(0)) })
    let pending = files.filter { !applied.contains($0.version) }
    for migration in pending {
      try lease?.check()
      try connection.run(migration.sql)
      try connection.execute(
        "INSERT INTO schema_migrations (version, name, applied_at) VALUES (?, ?, UTC_TIMESTAMP(3))",
        [.int(migration.version), .text(migration.name)])
    }
    try lease?.check()
    _ = try routines.apply(connection)
    return pending
  }

  /// To the first node that takes writes; with the table that notes what has been applied.
  private func connect(_ options: MySQLOptions) throws -> MySQLConnection {
    var nodes = MySQLNodes(options)
    var attempts = nodes.count
    while true {
      let connection = try nodes.connect(multipleStatements: true)
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
