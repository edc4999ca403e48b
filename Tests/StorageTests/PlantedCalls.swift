// Calls that are over already, written as their ends would have, at any time in the past; and time
// itself, moved on for everything that is stored.

import Calls
import MySQL
import System

@testable import Storage

extension Stores {
  /// All users must have been in a call before, or be in `users` of `makeLines`.
  func plant(_ calls: [Call]) throws {
    for start in stride(from: 0, to: calls.count, by: 100) {
      try database.change { transaction in
        transaction.state = .written
        try transaction.connection.run("START TRANSACTION")
        for call in calls[start..<min(start + 100, calls.count)] {
          try insertLive(call, transaction.connection)
          let locked = try LockedCall(transaction, call.id, for: nil, withQuality: false)
          try locked.write(CallChange(call: call, events: []), commits: false)
        }
      }
    }
  }

  private func insertLive(_ call: Call, _ connection: MySQLConnection) throws {
    try connection.execute(
      """
      INSERT INTO calls (id, channel_id, caller_id, callee_id, call_type, status, created_at,
        expires_at, deadline_at, invited) VALUES (?, ?, ?, ?, ?, 'initiating', ?, ?, ?, ?)
      """,
      [
        .text(call.id), .text(call.channelId), .text(call.callerId), .text(call.calleeId),
        .text(call.type.rawValue), .time(call.createdAt), .time(call.expiresAt),
        .time(call.expiresAt), .bool(call.wasInvited),
      ])
  }

  func makeLines(_ users: [String]) throws {
    for user in users {
      try connection.execute("CALL make_lines_1(?, ?)", [.text(user), .text(user)])
    }
  }

  /// Lets time pass: every DATE and DATETIME of every table moves into the past.
  func letPass(seconds: Int) throws {
    let columns = try connection.query(
      """
      SELECT c.table_name, c.column_name FROM information_schema.columns c
      JOIN information_schema.tables t USING (table_schema, table_name)
      WHERE c.table_schema = DATABASE() AND t.table_type = 'BASE TABLE'
        AND c.data_type IN ('date', 'datetime')
      """)
    let tables = Dictionary(grouping: columns) { $0.text(0) }
    try connection.run("START TRANSACTION")
    for (table, rows) in tables {
      let changes = rows.map {
        "`\($0.text(1))` = `\($0.text(1))` - INTERVAL \(seconds) SECOND"
      }
      try connection.run("UPDATE `\(table)` SET \(changes.joined(separator: ", "))")
    }
    try connection.run("COMMIT")
  }
}

extension Call {
  /// A call that ended in any of the ways in which calls end.
  static func random(
    _ caller: String, _ callee: String, at createdAt: Timestamp,
    using numbers: inout some RandomNumberGenerator
  ) -> Call {
    var call = Call(
      id: CallID.make(now: createdAt, randomness: .system),
      channelId: ChannelID.make(randomness: .system), callerId: caller, calleeId: callee,
      type: Bool.random(using: &numbers) ? .audio : .video, createdAt: createdAt, ringSeconds: 60)
    let ends: [(CallStatus, EndReason, accepted: Bool)] = [
      (.ended, .hangup, true), (.ended, .maxDuration, true), (.ended, .connectionLost, true),
      (.ended, .cancelled, false), (.missed, .timeout, false), (.rejected, .declined, false),
      (.rejected, .busy, false), (.rejected, .unavailable, false), (.failed, .failed, true),
    ]
    let end = ends.randomElement(using: &numbers)!
    (call.status, call.endReason, call.deadlineAt) = (end.0, end.1, nil)
    call.endedAt = createdAt.adding(seconds: 20)
    if end.accepted {
      let seconds = Int64.random(in: 0...9000, using: &numbers)
      call.acceptedAt = createdAt.adding(seconds: 5)
      call.endedAt = createdAt.adding(seconds: 5 + seconds)
      call.durationSeconds = Int(seconds)
    } else if [.busy, .unavailable].contains(end.1) {
      call.wasInvited = Bool.random(using: &numbers)
    }
    return call
  }
}
