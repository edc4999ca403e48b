// The stored procedures of `sql/routines`, one file each: a change of a call is one call of them, whatever it
// writes, so that locks are held for one round trip. Their names carry a version: programs of two versions
// work side by side on one database during an upgrade.

import Crypto
import MySQL
import System

/// The statements that call them.
enum Routine {
  static let lockCall = call("lock_call_1", parameters: 5)
  static let writeCall = call("write_call_1", parameters: 34)
  static let initiateCall = call("initiate_call_1", parameters: 12)
  static let recordCall = call("record_call_1", parameters: 14)
  static let recordQuality = call("record_quality_1", parameters: 11)
  static let issueToken = call("issue_token_1", parameters: 11)
  static let lockChannel = call("lock_channel_1", parameters: 3)
  static let recordNotice = call("record_notice_1", parameters: 14)
  static let deleteHistory = call("delete_history_1", parameters: 2)
  static let seeHistory = call("see_history_1", parameters: 5)

  private static func call(_ name: String, parameters: Int) -> String {
    "CALL \(name)(\(Array(repeating: "?", count: parameters).joined(separator: ", ")))"
  }
}

package struct Routines: Sendable {
  private struct Routine: Sendable {
    let name: String
    let sql: String
    /// Kept as the procedure's comment, which tells what a database has.
    let digest: String
  }

  private let routines: [Routine]

  private static let fileLimitBytes = 1 << 20
  private static let characteristic = "SQL SECURITY INVOKER"

  /// Reads `name_version.sql` from a folder; a folder that is not there has none.
  /// - Throws: `SystemError`.
  package init(folder: String) throws {
    let names = (try? listFolder(folder)) ?? []
    routines = try names.filter { $0.hasSuffix(".sql") }.sorted().map { name in
      let bytes = try readFile("\(folder)/\(name)", limit: Self.fileLimitBytes)
      return Routine(
        name: String(name.dropLast(4)), sql: String(decoding: bytes, as: UTF8.self),
        digest: hexadecimal(SHA256.digest(bytes)))
    }
  }

  /// Makes the procedures that the database lacks, a dump without routines having lost them, say, and
  /// those whose text is another.
  /// - Parameter onlyMissing: Leaves those alone whose text is another: during an upgrade they may be a
  ///   newer program's.
  /// - Returns: The names of those that were made.
  /// - Throws: `MySQLError`.
  package func apply(_ connection: MySQLConnection, onlyMissing: Bool = false) throws -> [String] {
    let digests = try Self.digests(connection)
    let wanted = routines.filter {
      digests[$0.name] == nil || !onlyMissing && digests[$0.name] != $0.digest
    }
    for routine in wanted {
      try connection.run("DROP PROCEDURE IF EXISTS \(routine.name)")
      try connection.run(commented(routine))
    }
    return wanted.map(\.name)
  }

  /// - Returns: The names of those that the database lacks, and of those whose text is another there.
  /// - Throws: `MySQLError`.
  func differing(_ connection: MySQLConnection) throws -> (missing: [String], other: [String]) {
    let digests = try Self.digests(connection)
    let isThere = { (routine: Routine) in digests[routine.name] != nil }
    let isSame = { (routine: Routine) in digests[routine.name] == routine.digest }
    return (
      routines.filter { !isThere($0) }.map(\.name),
      routines.filter { isThere($0) && !isSame($0) }.map(\.name)
    )
  }

  /// What the database has, by name.
  private static func digests(_ connection: MySQLConnection) throws -> [String: String] {
    let known = try connection.query(
      """
      SELECT routine_name, routine_comment FROM information_schema.routines
      WHERE routine_schema = DATABASE() AND routine_type = 'PROCEDURE'
      """)
    return Dictionary(
      known.map { ($0.text(0), $0.text(1)) }, uniquingKeysWith: { first, _ in first })
  }

  private func commented(_ routine: Routine) -> String {
    let text = Array(routine.sql.utf8)
    let mark = Array(Self.characteristic.utf8)
    guard let place = text.indices.first(where: { text[$0...].starts(with: mark) }) else {
      return routine.sql
    }
    let comment = Array(" COMMENT '\(routine.digest)'".utf8)
    return String(
      decoding: text[..<(place + mark.count)] + comment + text[(place + mark.count)...],
      as: UTF8.self)
  }
}
