// What is not kept for ever: events after 24 hours (contract §6.4), the ids of Agora's notices, quality
// samples and audit rows after the configured days. Deleted in small batches, so that no lock and no undo grows large.

import MySQL

package struct RetentionSettings: Sendable {
  /// Hours that an event is kept for replay.
  package static let eventHours = 24
  /// Days that a webhook is kept after it was delivered or given up, or its last attempt was due.
  package static let webhookDays = 30
  /// Hours in which a notice of Agora's that comes again is known. Agora gives up after three repetitions.
  static let noticeHours = 24
  /// 0 keeps them for ever.
  package var qualityDays: Int
  /// 0 keeps them for ever.
  package var auditDays: Int

  package init(qualityDays: Int, auditDays: Int) {
    (self.qualityDays, self.auditDays) = (qualityDays, auditDays)
  }
}

package struct Retention {
  static let batchRows = 500

  private let database: Database
  private let settings: RetentionSettings

  package init(_ database: Database, _ settings: RetentionSettings) {
    (self.database, self.settings) = (database, settings)
  }

  /// Deletes what is too old.
  /// - Parameter batches: Of 500 rows each, per table, at the most.
  /// - Returns: How many rows went.
  package func purge(batches: Int) throws -> Int {
    var count = try delete("call_events", "created_at", RetentionSettings.eventHours, batches)
    let webhookHours = RetentionSettings.webhookDays * 24
    for state in ["delivered", "failed"] {
      count += try delete(
        "webhook_events", "settled_at", webhookHours, batches, where: "state = '\(state)' AND")
    }
    for queue in DeliveryQueue.allCases {
      count += try delete(
        "webhook_events", "due_at", webhookHours, batches,
        where: "queue = '\(queue.rawValue)' AND")
    }
    count += try delete(
      "agora_notices", "received_at", RetentionSettings.noticeHours, batches)
    if settings.qualityDays > 0 {
      count += try delete(
        "call_quality_metrics", "recorded_at", settings.qualityDays * 24, batches)
    }
    if settings.auditDays > 0 {
      count += try delete("token_audit", "issued_at", settings.auditDays * 24, batches)
    }
    return count
  }

  private func delete(
    _ table: String, _ column: String, _ hours: Int, _ batches: Int, where condition: String = ""
  ) throws -> Int {
    var total = 0
    for _ in 0..<batches {
      let count = try database.read {
        try $0.execute(
          """
          DELETE FROM \(table) WHERE \(condition) \(column) < UTC_TIMESTAMP(3) - INTERVAL ? HOUR
          ORDER BY \(column) LIMIT \(Self.batchRows)
          """, [.int(hours)])
      }
      total += count
      if count < Self.batchRows { break }
    }
    return total
  }
}
