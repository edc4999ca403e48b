// Reading calls: one with its parties, a user's live one, the live ones of the whole system.

import Calls
import MySQL
import System

extension CallStore {
  /// A call past its deadline is over, whether or not the sweeper has been there (contract §4). Whoever
  /// only looks writes that down, but neither waits for others' locks nor fails where it cannot.
  /// - Throws: `CallError`: `notFound`, `unauthorizedAccess`.
  package func details(_ callId: String, for userId: String) throws -> CallDetails {
    guard CallID.isWellFormed(callId),
      let found = try details(.call(callId.lowercased()))
    else { throw CallError.notFound(.call) }
    guard found.details.call.isParticipant(userId) else {
      throw CallError.unauthorizedAccess("You take no part in this call.")
    }
    guard let expiry = found.details.call.overdue(at: found.now) else { return found.details }
    let written = (try? expire(expiry.call.id, ifFree: true)) ?? nil
    return CallDetails(
      call: written?.call ?? expiry.call, caller: found.details.caller,
      callee: found.details.callee, callerMedia: found.details.callerMedia,
      calleeMedia: found.details.calleeMedia)
  }

  /// The call that a user's line is busy with, or nil.
  package func active(of userId: String) throws -> CallDetails? {
    try database.read { try CallStore.active(of: userId, $0, database) }
  }

  /// A call past its deadline counts as over, even if nothing has written so yet.
  static func active(of userId: String, _ connection: MySQLConnection, _ database: Database) throws
    -> CallDetails?
  {
    let found = try DetailsQuery.activeCall(of: userId).run(connection, database)
    guard let found, found.details.call.overdue(at: found.now) == nil else { return nil }
    return found.details
  }

  func details(_ query: DetailsQuery) throws -> (details: CallDetails, now: Timestamp)? {
    try database.read { try query.run($0, database) }
  }

  /// Calls that are not over, oldest first.
  package func live(limit: Int) throws -> [Call] {
    try database.read {
      try $0.map(
        """
        SELECT \(Call.columns) FROM calls c WHERE c.deadline_at IS NOT NULL
        ORDER BY c.created_at LIMIT ?
        """, [.int(limit)]
      ) { try Call(row: $0) }
    }
  }
}

/// A call with both parties, who of them is in the channel and, while it is live, the quality so far, by one
/// statement.
enum DetailsQuery {
  case call(String)
  case activeCall(of: String)
  case idempotent(caller: String, key: String)

  func run(_ connection: MySQLConnection, _ database: Database) throws
    -> (details: CallDetails, now: Timestamp)?
  {
    let text = try database.text(of: shape, connection) { sql($0) }
    return try connection.first(text, values) { row in
      let call = try Call(row: row)
      let place = Call.columnCount + 1
      return (
        CallDetails(
          call: call,
          caller: Party(id: call.callerId, row: row, at: place)
            ?? Party(id: call.callerId, name: nil, avatar: nil),
          callee: Party(id: call.calleeId, row: row, at: place + 4)
            ?? Party(id: call.calleeId, name: nil, avatar: nil),
          callerMedia: MediaState(row: row, at: place + 8),
          calleeMedia: MediaState(row: row, at: place + 9)),
        row.time(Call.columnCount) ?? .now()
      )
    }
  }

  private var shape: StatementShape {
    switch self {
    case .call: .callDetails
    case .activeCall: .activeCall
    case .idempotent: .idempotentCall
    }
  }

  private func sql(_ users: UsersKey) -> String {
    let columns = """
      SELECT \(Call.columnsWithQuality), UTC_TIMESTAMP(3), \(Party.columns("a")),
        \(Party.columns("b")), p.caller_joined, p.callee_joined
      """
    let joins = """
      \(users.join("a", on: "c.caller_id")) \(users.join("b", on: "c.callee_id"))
      LEFT JOIN agora_presence p ON p.call_id = c.id
      LEFT JOIN (\(QualityStore.liveAverages(of: id))) q ON q.call_id = c.id
      """
    return switch self {
    case .call: "\(columns) FROM calls c \(joins) WHERE c.id = ?"
    case .activeCall:
      """
      \(columns) FROM user_lines l JOIN calls c ON c.id = l.call_id \(joins) WHERE l.user_id = ?
      """
    case .idempotent:
      "\(columns) FROM calls c \(joins) WHERE c.caller_id = ? AND c.idempotency_key = ?"
    }
  }

  /// The call's id, as the samples are to be found by.
  private var id: String {
    switch self {
    case .call: "?"
    case .activeCall: "(SELECT call_id FROM user_lines WHERE user_id = ?)"
    case .idempotent: "(SELECT id FROM calls WHERE caller_id = ? AND idempotency_key = ?)"
    }
  }

  private var values: [MySQLValue] {
    let once: [MySQLValue] =
      switch self {
      case .call(let id): [.text(id)]
      case .activeCall(let userId): [.text(userId)]
      case .idempotent(let caller, let key): [.text(caller), .text(key)]
      }
    return once + once + once
  }
}
