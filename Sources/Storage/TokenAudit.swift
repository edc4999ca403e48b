// The audit trail of issued Agora tokens (R3.4, R4.4): one row each, never changed.

import Calls
import MySQL
import System

package struct TokenAudit {
  package enum Action: String, Sendable { case generate, refresh }

  package struct Entry: Sendable {
    package var userId: String
    package var callId: String?
    package var channelId: String
    package var action: Action
    package var role: String
    package var uid: UInt32
    /// At most 16 characters of the token that was replaced.
    package var oldTokenPrefix: String?
    package var requestId: String
    package var issuedAt: Timestamp
    package var expiresAt: Timestamp

    package init(
      userId: String, callId: String?, channelId: String, action: Action, role: String,
      uid: UInt32, oldTokenPrefix: String?, requestId: String, issuedAt: Timestamp,
      expiresAt: Timestamp
    ) {
      (self.userId, self.callId, self.channelId) = (userId, callId, channelId)
      (self.action, self.role, self.uid) = (action, role, uid)
      (self.oldTokenPrefix, self.requestId) = (oldTokenPrefix, requestId)
      (self.issuedAt, self.expiresAt) = (issuedAt, expiresAt)
    }
  }

  private let database: Database

  package init(_ database: Database) { self.database = database }

  package func append(_ entry: Entry) throws {
    try database.read { connection in
      try connection.execute(
        """
        INSERT INTO token_audit (user_id, call_id, channel_id, action, role, uid,
          old_token_prefix, request_id, issued_at, expires_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        [
          .text(entry.userId), .text(entry.callId), .text(entry.channelId),
          .text(entry.action.rawValue), .text(entry.role), .int(Int64(entry.uid)),
          .text(entry.oldTokenPrefix.map { String($0.prefix(16)) }), .text(entry.requestId),
          .time(entry.issuedAt), .time(entry.expiresAt),
        ])
    }
  }
}
