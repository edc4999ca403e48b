// An empty database and an empty folder for migrations, and runs that are cut off: by the server, which ends the
// connection at the administrator's word.

import Glibc
import MySQL
import System
import TestServers

@testable import Storage

struct MigrationFixture {
  let database: TestDatabase
  let folder: String

  /// Runs `body`, and removes both.
  static func with(_ body: (MigrationFixture) throws -> Void) throws {
    let database = try TestDatabase.create()
    let folder = "/tmp/\(database.name)"
    mkdir(folder, 0o700)
    defer {
      database.drop()
      for name in (try? listFolder(folder)) ?? [] { unlink("\(folder)/\(name)") }
      rmdir(folder)
    }
    try body(MigrationFixture(database: database, folder: folder))
  }

  /// Writes a file of the folder, in the place of one of this name.
  func write(_ name: String, _ sql: String) {
    let file = Descriptor(
      open("\(folder)/\(name)", O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0o600))
    writeOut(sql, to: file.raw)
  }

  @discardableResult
  func apply(
    _ folder: String? = nil, report: @escaping (MigrationStep) throws -> Void = { _ in }
  ) throws -> [String] {
    try Migrations(folder: folder ?? self.folder).apply(database.options, report: report).map(
      \.name)
  }

  /// Where a run is cut off.
  enum Point: CaseIterable {
    /// Between the record that a statement has begun and the statement.
    case begun
    /// Between the statement and its record.
    case executed
    case recorded

    /// How many statements were done; nil at another point.
    func done(at step: MigrationStep) -> Int? {
      switch (self, step) {
      case (.begun, .begun(let progress)), (.executed, .executed(let progress)),
        (.recorded, .recorded(let progress)):
        progress.done
      default: nil
      }
    }
  }

  /// Runs the migrations again and again, each time until the next statement, where the connection is killed.
  /// - Parameter limit: Of cuts; then it returns.
  /// - Returns: How many runs were cut.
  func applyCut(_ folder: String? = nil, at point: Point, limit: Int = 1000) throws -> Int {
    var latest = -1
    for cut in 0..<limit {
      var isCut = false
      do {
        try apply(folder) { step in
          guard !isCut, let done = point.done(at: step), done > latest else { return }
          (latest, isCut) = (done, true)
          try killConnections()
        }
      } catch let error as MySQLError where isCut && error.isUnavailable { continue }
      return cut
    }
    return limit
  }

  /// Ends all connections to the database but its own, and waits until the server has forgotten them.
  private func killConnections() throws {
    let killer = try database.connect()
    let others = """
      SELECT id FROM information_schema.processlist WHERE db = ? AND id <> CONNECTION_ID()
      """
    while case let ids = try killer.query(others, [.text(database.name)]), !ids.isEmpty {
      for id in ids { try? killer.run("KILL CONNECTION \(id.int(0))") }
      usleep(1000)
    }
  }

  /// What makes each table and view.
  func definitions() throws -> [String: String] {
    let connection = try database.connect()
    let names = try connection.query("SHOW TABLES").map { $0.text(0) }
    return try Dictionary(
      uniqueKeysWithValues: names.map {
        ($0, try connection.queryRow("SHOW CREATE TABLE `\($0)`")?.text(1) ?? "")
      })
  }

  /// The names of what has been applied, procedures, triggers and events.
  func names() throws -> [String] {
    try database.connect().query(
      """
      SELECT name FROM schema_migrations
      UNION ALL SELECT routine_name FROM information_schema.routines WHERE routine_schema = DATABASE()
      UNION ALL SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE()
      UNION ALL SELECT event_name FROM information_schema.events WHERE event_schema = DATABASE()
      """
    ).map { $0.text(0) }.sorted()
  }

  func numbers(_ sql: String) throws -> [Int64] {
    try database.connect().query(sql).map { $0.int(0) }
  }
}
