// Reading calls: one with its parties, a user's live one, the live ones of the whole system.

import Calls
import MySQL

extension CallStore {
  /// A call past its deadline is over, whether or not the sweeper has been there (contract §4). Whoever
  /// only looks writes that down, but neither waits for others' locks nor fails where it cannot.
  /// - Throws: `CallError`: `notFound`, `unauthorizedAccess`.
  package func details(_ callId: String, for userId: String) throws -> CallDetails {
    let (call, now) = try requireNow(callId, for: userId)
    guard let expiry = call.overdue(at: now) else { return try details(of: call) }
    let written = (try? expire(call, ifFree: true)) ?? nil
    return try details(of: written?.call ?? expiry.call)
  }

  /// The call that a user's line is busy with, or nil.
  package func active(of userId: String) throws -> CallDetails? {
    let call = try database.read { try CallStore.active(of: userId, $0) }
    return try call.map { try details(of: $0) }
  }

  /// A call past its deadline counts as over, though nobody has written so yet.
  static func active(of userId: String, _ connection: MySQLConnection) throws -> Call? {
    let row = try connection.queryRow(
      """
      SELECT \(Call.columns), UTC_TIMESTAMP(3) FROM user_lines l JOIN calls c ON c.id = l.call_id
      WHERE l.user_id = ?
      """, [.text(userId)])
    guard let row, let now = row.time(Call.columnCount) else { return nil }
    let call = try Call(row: row)
    return call.overdue(at: now) == nil ? call : nil
  }

  /// The call on a channel, live or over.
  package func call(onChannel channelId: String) throws -> Call? {
    let row = try database.read {
      try $0.queryRow(
        "SELECT \(Call.columns) FROM calls c WHERE c.channel_id = ?", [.text(channelId)])
    }
    // MySQL compares without the blanks at the end; to Agora they make another channel.
    return try row.map { try Call(row: $0) }.flatMap { $0.channelId == channelId ? $0 : nil }
  }

  /// Calls that are not over, oldest first.
  package func live(limit: Int) throws -> [Call] {
    try database.read {
      try $0.query(
        """
        SELECT \(Call.columns) FROM calls c WHERE c.deadline_at IS NOT NULL
        ORDER BY c.created_at LIMIT ?
        """, [.int(limit)])
    }.map { try Call(row: $0) }
  }

  /// Averages of a live call are those so far; of one that is over those that its end wrote.
  private func details(of call: Call) throws -> CallDetails {
    try database.read { connection in
      var call = call
      if !call.status.isTerminal, call.acceptedAt != nil {
        call.quality = try QualityStore.averages(connection, callId: call.id)
      }
      return try CallStore.details(connection, call)
    }
  }
}
