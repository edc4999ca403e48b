// A user's call history (R6): pages at a cost that does not depend on its length.

import Calls
import MySQL
import System

package struct HistoryEntry: Sendable {
  package let id: Int64
  package let callId: String
  package let remoteUserId: String
  package let callType: CallType
  package let status: HistoryStatus
  package let direction: CallDirection
  package let endReason: EndReason
  package let timestamp: Timestamp
  package let durationSeconds: Int
}

/// Where a walk through a history goes on: after this entry, newest first.
package struct HistoryCursor: Sendable, Equatable {
  package let timestamp: Timestamp
  package let id: Int64

  package init(timestamp: Timestamp, id: Int64) { (self.timestamp, self.id) = (timestamp, id) }
}

package struct HistoryQuery: Sendable {
  package enum Position: Sendable, Equatable {
    /// 1 or more.
    case page(Int)
    case after(HistoryCursor)
  }

  package var position: Position = .page(1)
  /// 1…100.
  package var limit = 20
  /// nil for all.
  package var callType: CallType?
  package var status: HistoryStatus?

  package init() {}
}

package struct HistoryPage: Sendable {
  package let entries: [HistoryEntry]
  /// All entries that fit the filters, from the counters that each ending keeps.
  package let total: Int
  /// There are entries after these.
  package let hasMore: Bool
  package let parties: [UserKey: Party]
}

package struct HistoryStore {
  private let database: Database

  package init(_ database: Database) { self.database = database }

  package func page(of userId: String, _ query: HistoryQuery) throws -> HistoryPage {
    try database.read { connection in
      let rows = try connection.query(HistorySQL.select(query), HistorySQL.values(userId, query))
      let entries = try rows.prefix(query.limit).map { try HistoryEntry(row: $0) }
      return HistoryPage(
        entries: entries, total: try HistoryStore.total(connection, userId, query, rows),
        hasMore: rows.count > query.limit,
        parties: try Directory.parties(connection, Set(entries.map { UserKey($0.remoteUserId) })))
    }
  }

  /// Takes an entry out of a user's own history; the statistics keep what happened.
  /// - Throws: `CallError.notFound` where the user has no such entry.
  package func delete(_ callId: String, of userId: String) throws {
    guard CallID.isWellFormed(callId) else { throw CallError.notFound(.call) }
    try database.transaction { connection in
      let row = try connection.queryRow(
        """
        SELECT call_type, status FROM call_history WHERE user_id = ? AND call_id = ? FOR UPDATE
        """, [.text(userId), .text(callId.lowercased())])
      guard let row else { throw CallError.notFound(.call) }
      try connection.execute(
        "DELETE FROM call_history WHERE user_id = ? AND call_id = ?",
        [.text(userId), .text(callId.lowercased())])
      let column = "\(row.text(0))_\(row.text(1))"
      try connection.execute(
        """
        UPDATE call_history_totals SET \(column) = \(column) - 1
        WHERE user_id = ? AND \(column) > 0
        """, [.text(userId)])
    }
  }

  /// Writes a user's entry of a call that is over, and counts it.
  static func insert(
    _ connection: MySQLConnection, _ call: Call, user: String, status: HistoryStatus
  ) throws {
    let direction: CallDirection = call.isCaller(user) ? .outgoing : .incoming
    try connection.execute(
      """
      INSERT INTO call_history (user_id, call_id, remote_user_id, call_type, status, direction,
        end_reason, `timestamp`, duration_seconds) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
      """,
      [
        .text(user), .text(call.id), .text(call.peer(of: user)), .text(call.type.rawValue),
        .text(status.rawValue), .text(direction.rawValue),
        .text((call.endReason ?? .hangup).rawValue), .time(call.createdAt),
        .int(call.durationSeconds),
      ])
    let column = "\(call.type.rawValue)_\(status.rawValue)"
    try connection.execute(
      """
      INSERT INTO call_history_totals (user_id, \(column)) VALUES (?, 1)
      ON DUPLICATE KEY UPDATE \(column) = \(column) + 1
      """, [.text(user)])
  }

  /// Beside the entries of a page, or asked for where the page has none.
  private static func total(
    _ connection: MySQLConnection, _ userId: String, _ query: HistoryQuery, _ page: [MySQLRow]
  ) throws -> Int {
    if let row = page.first { return Int(row.int(HistorySQL.totalColumn)) }
    return Int(try connection.queryRow(HistorySQL.total(query), [.text(userId)])?.int(0) ?? 0)
  }
}

extension HistoryEntry {
  init(row: MySQLRow) throws {
    guard let type = CallType(rawValue: row.text(3)),
      let status = HistoryStatus(rawValue: row.text(4)),
      let direction = CallDirection(rawValue: row.text(5)),
      let endReason = EndReason(rawValue: row.text(6)), let timestamp = row.time(7)
    else { throw StorageError.corruptRow(table: "call_history", id: row.text(0)) }
    self.init(
      id: row.int(0), callId: row.text(1), remoteUserId: row.text(2), callType: type,
      status: status, direction: direction, endReason: endReason, timestamp: timestamp,
      durationSeconds: Int(row.int(8)))
  }
}
