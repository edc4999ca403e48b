// The doctor's questions to MySQL: whether it lets this host in, what the account may do, whether schema and
// procedures are those of these programs, and whether the clocks agree.

import MySQL
import Storage

struct DatabaseChecks {
  private let inspection: DatabaseInspection
  private let folder: String

  /// Calls go by the database's clock, and a poll looks back no further than this (README, "A database that is
  /// a cluster").
  private static let skewLimitMilliseconds: Int64 = 1000

  /// - Parameter folder: Of the SQL files.
  init(_ inspection: DatabaseInspection, folder: String) {
    (self.inspection, self.folder) = (inspection, folder)
  }

  /// Without a connection that is the only finding.
  func run() -> [Finding] {
    do {
      let version = try inspection.serverVersion()
      return [.ok("database", "answers (\(version))")] + schema() + [rights(), clock()]
    } catch { return [.fault("database", "\(error)", Self.advice(on: error))] }
  }

  /// By the server's codes: ER_ACCESS_DENIED_ERROR and those of its plugins, ER_DBACCESS_DENIED_ERROR,
  /// ER_BAD_DB_ERROR, ER_HOST_NOT_PRIVILEGED.
  private static func advice(on error: any Error) -> String {
    switch (error as? MySQLError)?.code {
    case 1045, 1698, 1524:
      "Check MYSQL_USER and MYSQL_PASSWORD; ALTER USER … IDENTIFIED BY … sets it."
    case 1130: "Make an account for this host: CREATE USER chattrix@'…', with the README's GRANT."
    case 1044: "GRANT ALL ON the database TO the account (README, \"Install it on a host\")."
    case 1049: "Check MYSQL_DATABASE, or CREATE DATABASE … CHARACTER SET utf8mb4."
    default: "Start the server, and check MYSQL_SOCKET or MYSQL_HOST and MYSQL_PORT."
    }
  }

  private func schema() -> [Finding] {
    let schema: DatabaseInspection.Schema
    do { schema = try inspection.schema(comparedWith: folder) } catch {
      return [.fault("schema", "\(error)", "Check that the SQL files are in \(folder).")]
    }
    return [version(schema), routines(schema)]
  }

  private func version(_ schema: DatabaseInspection.Schema) -> Finding {
    if let progress = schema.unfinished.first {
      return unfinished(
        progress, schema.isMigrating, isOfFile: schema.pending.contains(progress.name))
    }
    if !schema.pending.isEmpty {
      return .fault(
        "schema", "not applied: " + schema.pending.joined(separator: ", "),
        "chattrix-ctl migrate, with an account that may alter tables.")
    }
    guard schema.unknown.isEmpty else {
      let versions = schema.unknown.map(String.init).joined(separator: ", ")
      return .warning(
        "schema", "is newer than these programs (\(versions))", "Upgrade this host's programs.")
    }
    return .ok("schema", "up to date")
  }

  private func unfinished(_ progress: MigrationProgress, _ isMigrating: Bool, isOfFile: Bool)
    -> Finding
  {
    let count = "\(progress.done) of its \(progress.statements) statements are done"
    if isMigrating {
      return .warning(
        "schema", "\(progress.name) is under way: \(count)",
        "Wait for it; SHOW PROCESSLIST has its statement.")
    }
    return .fault(
      "schema", "\(progress.name) was cut off: \(count)",
      isOfFile
        ? "chattrix-ctl migrate goes on with it."
        : "chattrix-ctl migrate of the version that began it goes on with it: upgrade this host's programs."
    )
  }

  private func routines(_ schema: DatabaseInspection.Schema) -> Finding {
    if !schema.missingRoutines.isEmpty {
      return .fault(
        "procedures", "missing: " + schema.missingRoutines.joined(separator: ", "),
        "chattrix-ctl migrate makes them; dumps need mysqldump --routines.")
    }
    guard schema.otherRoutines.isEmpty else {
      return .warning(
        "procedures", "of another version: " + schema.otherRoutines.joined(separator: ", "),
        "chattrix-ctl migrate, once all hosts have the same programs.")
    }
    return .ok("procedures", "all there")
  }

  private func rights() -> Finding {
    do {
      let missing = try inspection.missingRights()
      guard missing.isEmpty else {
        return .fault(
          "rights", "refused: " + missing.joined(separator: ", "),
          "GRANT what is refused to MYSQL_USER (README, \"Install it on a host\").")
      }
      return .ok("rights", "sufficient")
    } catch {
      return .fault(
        "rights", "\(error)", "Let the server take writes: it is read-only, full or not primary.")
    }
  }

  private func clock() -> Finding {
    do {
      let comparison = try inspection.clock()
      let lead = comparison.leadMilliseconds
      guard abs(lead) <= Self.skewLimitMilliseconds else {
        return .fault(
          "clock",
          "the database's is \(abs(lead)) ms \(lead > 0 ? "ahead of" : "behind") this host's",
          "Have both follow NTP (timedatectl, chronyc tracking).")
      }
      return .ok(
        "clock", "within \(abs(lead) + comparison.tookMilliseconds) ms of the database's")
    } catch { return .fault("clock", "\(error)", Self.advice(on: error)) }
  }
}
