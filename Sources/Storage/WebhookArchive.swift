// Webhooks as an operator sees them: what waits and what was given up, and sending it again (contract §8.2).

import Calls
import MySQL
import System

package struct WebhookRecord: Sendable {
  /// As the receiver knows it: `webhook-id`.
  package let id: String
  package let type: String
  package let state: String
  package let attempts: Int
  package let createdAt: Timestamp
  /// When it is sent next; nil once it is delivered or given up.
  package let dueAt: Timestamp?
  package let settledAt: Timestamp?
  package let error: String?
}

extension DeliveryKey {
  /// `webhook-id`: the same at every attempt.
  package var id: String { "\(callId)-\(sequence)" }

  /// - Returns: nil where the text is no such id.
  package init?(id: String) {
    guard let dash = id.lastIndex(of: "-"), let sequence = Int(id[id.index(after: dash)...]),
      CallID.isWellFormed(String(id[..<dash]))
    else { return nil }
    self.init(callId: id[..<dash].lowercased(), sequence: sequence)
  }
}

package struct WebhookArchive {
  private let database: Database

  package init(_ database: Database) { self.database = database }

  /// - Parameters:
  ///   - failed: What was given up, the latest first; else what waits, in the order in which it is due.
  package func list(failed: Bool, limit: Int) throws -> [WebhookRecord] {
    let columns = """
      call_id, sequence, event_type, state, attempts, created_at, due_at, settled_at, last_error
      """
    let rows =
      failed
      ? "state = 'failed' ORDER BY settled_at DESC"
      : "\(DeliveryQueue.all) AND due_at IS NOT NULL ORDER BY due_at"
    return try database.read {
      try $0.map("SELECT \(columns) FROM webhook_events WHERE \(rows) LIMIT ?", [.int(limit)]) {
        WebhookRecord(
          id: DeliveryKey(callId: $0.text(0), sequence: Int($0.int(1))).id, type: $0.text(2),
          state: $0.text(3), attempts: Int($0.int(4)),
          createdAt: $0.time(5) ?? Timestamp(milliseconds: 0), dueAt: $0.time(6),
          settledAt: $0.time(7), error: $0.optionalText(8))
      }
    }
  }

  /// Has what was given up, or one event whatever became of it, sent again, from the first attempt on.
  /// - Parameter key: nil for all that was given up.
  /// - Returns: How many events that are.
  package func retry(_ key: DeliveryKey?) throws -> Int {
    let again = """
      UPDATE webhook_events SET state = 'pending', attempts = 0, is_forced = TRUE,
        queue = IF(queue = 'kick', 'kick', 'fresh'), leased_by = NULL, settled_at = NULL,
        due_at = UTC_TIMESTAMP(3)
      """
    return try database.read { connection in
      guard let key else { return try connection.execute("\(again) WHERE state = 'failed'") }
      return try connection.execute(
        "\(again) WHERE call_id = ? AND sequence = ?", [.text(key.callId), .int(key.sequence)])
    }
  }
}
