// What is known of one call, in the order in which it happened, for whoever supports its participants: the
// call's own times, the events that were written for its participants, the tokens that they were given, the
// webhooks that were sent, and
// what they said of the quality. Events are kept for 24 hours, the others as long as the configuration says.

import Calls
import JSON
import MySQL
import System

package struct CallTimeline: Sendable {
  package struct Entry: Sendable, Equatable {
    /// In the order in which entries of the same millisecond are shown.
    package enum Kind: String, Sendable, Comparable, CaseIterable {
      case call, event, token, webhook

      package static func < (one: Kind, other: Kind) -> Bool {
        allCases.firstIndex(of: one)! < allCases.firstIndex(of: other)!
      }
    }

    package var time: Timestamp
    package var kind: Kind
    /// `accepted`, `call_accepted`, `generate`.
    package var name: String
    /// Who did it; of an event, for whom it was written.
    package var userId: String?
    /// From which device; of an event, the recipient's device that caused it and was spared it.
    package var device: String?
    package var eventId: Int64?
    /// As the log has it.
    package var requestId: String?
    /// Words and numbers that explain the entry, such as `reason=declined`.
    package var details: String?
  }

  /// What a participant reported.
  package struct Quality: Sendable, Equatable {
    package let userId: String
    package let firstAt: Timestamp
    package let lastAt: Timestamp
    package let means: CallQuality
    /// 0…1.
    package let highestPacketLossRate: Double?
    /// In milliseconds.
    package let highestRoundTripTime: Double?
  }

  package let entries: [Entry]
  /// A participant each, those who reported something.
  package let quality: [Quality]

  /// - Throws: `MySQLError`.
  package init(of call: Call, _ database: Database) throws {
    (entries, quality) = try database.read { connection in
      let entries =
        try call.timelineEntries + Self.events(of: call, connection)
        + Self.tokens(of: call, connection) + Self.webhooks(of: call, connection)
      return (entries.sorted(by: Self.precedes), try Self.quality(of: call, connection))
    }
  }

  private static func precedes(_ one: Entry, _ other: Entry) -> Bool {
    if one.time != other.time { return one.time < other.time }
    if one.kind != other.kind { return one.kind < other.kind }
    return (one.userId ?? "", one.eventId ?? 0) < (other.userId ?? "", other.eventId ?? 0)
  }

  private static func events(of call: Call, _ connection: MySQLConnection) throws -> [Entry] {
    try connection.map(
      """
      SELECT created_at, event_type, user_id, origin_device, event_id, data FROM call_events
      WHERE user_id IN (?, ?) AND call_id = ?
      """, [.text(call.callerId), .text(call.calleeId), .text(call.id)]
    ) { row in
      Entry(
        time: row.time(0) ?? call.createdAt, kind: .event, name: row.text(1), userId: row.text(2),
        device: row.optionalText(3), eventId: row.int(4), details: facts(row.bytes(5)))
    }
  }

  /// Members of an event's data that say more than whose call it is.
  private static let telling = [
    "status", "outcome", "reason", "endReason", "durationSeconds", "networkQuality",
  ]

  private static func facts(_ data: [UInt8]) -> String? {
    guard let data = try? JSONParser.parse(data) else { return nil }
    let facts = telling.compactMap { name in
      switch data[name] {
      case .string(let text): "\(name)=\(text)"
      case .int(let number): "\(name)=\(number)"
      default: nil
      }
    }
    return facts.isEmpty ? nil : facts.joined(separator: " ")
  }

  private static func tokens(of call: Call, _ connection: MySQLConnection) throws -> [Entry] {
    try connection.map(
      """
      SELECT issued_at, action, user_id, request_id, role, uid, expires_at FROM token_audit
      WHERE user_id IN (?, ?) AND call_id = ? ORDER BY id
      """, [.text(call.callerId), .text(call.calleeId), .text(call.id)]
    ) { row in
      Entry(
        time: row.time(0) ?? call.createdAt, kind: .token, name: row.text(1), userId: row.text(2),
        requestId: row.text(3),
        details: "role=\(row.text(4)) uid=\(row.int(5)) expires="
          + (row.time(6)?.iso8601 ?? "-"))
    }
  }

  /// Each twice where it is settled: when it was recorded, and when it was delivered or given up.
  private static func webhooks(of call: Call, _ connection: MySQLConnection) throws -> [Entry] {
    let rows = try connection.query(
      """
      SELECT event_type, state, attempts, created_at, settled_at, last_error FROM webhook_events
      WHERE call_id = ? ORDER BY sequence
      """, [.text(call.id)])
    return rows.flatMap { row -> [Entry] in
      func entry(_ time: Timestamp?, _ details: String) -> Entry? {
        time.map { Entry(time: $0, kind: .webhook, name: row.text(0), details: details) }
      }
      let failure = row.optionalText(5).map { " error=\($0)" } ?? ""
      let outcome = "\(row.text(1)) attempts=\(row.int(2))\(failure)"
      let settled = entry(row.time(4), outcome)
      return [entry(row.time(3), settled == nil ? outcome : "recorded"), settled].compactMap { $0 }
    }
  }

  private static func quality(of call: Call, _ connection: MySQLConnection) throws -> [Quality] {
    try connection.map(
      """
      SELECT user_id, MIN(recorded_at), MAX(recorded_at), COUNT(*), AVG(\(QualityStore.score)),
        AVG(m.packet_loss_rate), AVG(m.round_trip_time), MAX(m.packet_loss_rate),
        MAX(m.round_trip_time)
      FROM call_quality_metrics m WHERE m.call_id = ? GROUP BY user_id ORDER BY user_id
      """, [.text(call.id)]
    ) { row in
      var means = CallQuality()
      means.samples = Int(row.int(3))
      means.averageScore = row.double(4)
      means.averagePacketLossRate = row.double(5)
      means.averageRoundTripTime = row.double(6)
      return Quality(
        userId: row.text(0), firstAt: row.time(1) ?? call.createdAt,
        lastAt: row.time(2) ?? call.createdAt, means: means, highestPacketLossRate: row.double(7),
        highestRoundTripTime: row.double(8))
    }
  }
}

extension Call {
  /// What the row of the call says.
  fileprivate var timelineEntries: [CallTimeline.Entry] {
    var entries = [
      CallTimeline.Entry(
        time: createdAt, kind: .call, name: "initiated", userId: callerId,
        details: "callType=\(type.rawValue)")
    ]
    if let acceptedAt {
      entries.append(
        CallTimeline.Entry(
          time: acceptedAt, kind: .call, name: "accepted", userId: calleeId, device: acceptedDevice)
      )
    }
    if let connectedAt {
      entries.append(CallTimeline.Entry(time: connectedAt, kind: .call, name: "connected"))
    }
    if let endedAt {
      let reason = endReason.map { " endReason=\($0.rawValue)" } ?? ""
      entries.append(
        CallTimeline.Entry(
          time: endedAt, kind: .call, name: "ended",
          details: "status=\(status.rawValue)\(reason) durationSeconds=\(durationSeconds)"))
    }
    return entries
  }
}
