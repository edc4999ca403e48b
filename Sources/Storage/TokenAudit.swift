// The audit trail of issued Agora tokens (R3.4, R4.4): one row each, never changed, written by the statement
// that reads the call where there is one. A statement whose answer is lost runs again and finds its row.

import Calls
import MySQL
import System

package struct TokenAudit {
  package enum Action: String, Sendable { case generate, refresh }

  /// The token that is asked for.
  package struct Entry: Sendable {
    package var userId: String
    package var channelId: String
    package var action: Action
    package var role: String
    /// At most 16 characters of the token that was replaced.
    package var oldTokenPrefix: String?
    package var requestId: String
    package var issuedAt: Timestamp
    package var expiresAt: Timestamp

    package init(
      userId: String, channelId: String, action: Action, role: String, oldTokenPrefix: String?,
      requestId: String, issuedAt: Timestamp, expiresAt: Timestamp
    ) {
      (self.userId, self.channelId, self.action) = (userId, channelId, action)
      (self.role, self.oldTokenPrefix, self.requestId) = (role, oldTokenPrefix, requestId)
      (self.issuedAt, self.expiresAt) = (issuedAt, expiresAt)
    }
  }

  /// Which call a token may be for; the user has to take part in it.
  package struct Condition: Sendable {
    package var statuses: [CallStatus]
    /// An unanswered call whose time is up will do as well.
    package var allowsExpired = false
    /// The user's uid in the call has to be this one; nil for any.
    package var uid: UInt32?

    package init(statuses: [CallStatus], allowsExpired: Bool = false, uid: UInt32? = nil) {
      (self.statuses, self.allowsExpired, self.uid) = (statuses, allowsExpired, uid)
    }
  }

  /// The call on a channel, live or over, as far as a token depends on it.
  package struct ChannelCall: Sendable {
    package let id: String
    package let callerId: String
    package let calleeId: String
    package let status: CallStatus
    /// When it stops ringing.
    package let expiresAt: Timestamp

    package func isParticipant(_ userId: String) -> Bool {
      UserID.areSame(userId, callerId) || UserID.areSame(userId, calleeId)
    }

    package func isExpired(at now: Timestamp) -> Bool { status.isUnanswered && now >= expiresAt }
  }

  package struct Outcome: Sendable {
    package let call: ChannelCall?
    /// The row was written: the call meets the condition.
    package let isAudited: Bool
    /// The server's time.
    package let now: Timestamp
  }

  private let database: Database

  package init(_ database: Database) { self.database = database }

  /// Reads the call on the entry's channel and, where it meets the condition, writes the entry with the
  /// user's uid in that call.
  /// - Parameter condition: nil only reads.
  package func append(_ entry: Entry, where condition: Condition?) throws -> Outcome {
    let statuses = (condition?.statuses ?? []).map(\.rawValue).joined(separator: ",")
    let outcome = try database.read {
      try $0.first(
        Routine.issueToken,
        [
          .text(entry.channelId), .text(entry.userId), .text(statuses),
          .bool(condition?.allowsExpired ?? false),
          condition?.uid.map { .int(Int64($0)) } ?? .null, .text(entry.action.rawValue),
          .text(condition == nil ? nil : entry.role), .text(Self.prefix(entry)),
          .text(entry.requestId), .time(entry.issuedAt), .time(entry.expiresAt),
        ]
      ) { row in
        Outcome(
          call: try ChannelCall(row: row), isAudited: row.int(5) != 0, now: row.time(6) ?? .now())
      }
    }
    return outcome ?? Outcome(call: nil, isAudited: false, now: .now())
  }

  /// Writes an entry for a channel of no call, or of one without uids (imported).
  package func append(_ entry: Entry, callId: String?, uid: UInt32) throws {
    try database.read { connection in
      try connection.execute(
        """
        INSERT INTO token_audit (user_id, call_id, channel_id, action, role, uid,
          old_token_prefix, request_id, issued_at, expires_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON DUPLICATE KEY UPDATE id = token_audit.id
        """,
        [
          .text(entry.userId), .text(callId), .text(entry.channelId),
          .text(entry.action.rawValue), .text(entry.role), .int(Int64(uid)),
          .text(Self.prefix(entry)), .text(entry.requestId), .time(entry.issuedAt),
          .time(entry.expiresAt),
        ])
    }
  }

  private static func prefix(_ entry: Entry) -> String? {
    entry.oldTokenPrefix.map { String($0.prefix(16)) }
  }
}

extension TokenAudit.ChannelCall {
  /// nil where there is no call.
  fileprivate init?(row: borrowing MySQLRow) throws {
    guard let id = row.optionalText(0) else { return nil }
    guard let status = CallStatus(rawValue: row.text(3)), let expiresAt = row.time(4) else {
      throw StorageError.corruptRow(table: "calls", id: id)
    }
    self.init(
      id: id, callerId: row.text(1), calleeId: row.text(2), status: status, expiresAt: expiresAt)
  }
}
