// Quality samples of a call (R7) and their means at its end (R5.5).

import Calls
import MySQL
import System

package struct QualitySample: Sendable {
  package var networkQuality: NetworkQuality
  /// 0…1.
  package var packetLossRate: Double?
  /// In milliseconds, more than 0.
  package var roundTripTime: Double?
  /// When the client says that it measured.
  package var reportedAt: Timestamp?

  package init(networkQuality: NetworkQuality) { self.networkQuality = networkQuality }
}

package struct QualityStore {
  private let database: Database
  private let hints: Hints

  package init(_ database: Database, hints: Hints) {
    (self.database, self.hints) = (database, hints)
  }

  /// Stores a sample and, where the quality is poor or worse, warns the other participant.
  /// - Returns: The server's time of the recording.
  /// - Throws: `CallError.noActiveCall` unless the call is connecting, connected or disconnecting.
  package func record(_ sample: QualitySample, call known: Call, by userId: String) throws
    -> Timestamp
  {
    let peer = known.peer(of: userId)
    let recordedAt = try database.transaction { connection in
      var locked = try LockedCall(connection, known.id, known.callerId, known.calleeId)
      let (call, now) = (locked.call, locked.now)
      guard !call.status.isTerminal, call.acceptedAt != nil else { throw CallError.noActiveCall }
      try insert(connection, sample, call, userId, now)
      if sample.networkQuality.isPoor {
        let warning = CallEvent.qualityWarning(
          callId: call.id, participantId: userId, quality: sample.networkQuality)
        try locked.journal.append([OutgoingEvent(to: peer, warning)])
        try locked.journal.lines.save(connection)
      }
      return now
    }
    if sample.networkQuality.isPoor { hints.publish(to: [UserKey(peer)]) }
    return recordedAt
  }

  private func insert(
    _ connection: MySQLConnection, _ sample: QualitySample, _ call: Call, _ userId: String,
    _ now: Timestamp
  ) throws {
    try connection.execute(
      """
      INSERT INTO call_quality_metrics (call_id, user_id, network_quality, packet_loss_rate,
        round_trip_time, reported_at, recorded_at) VALUES (?, ?, ?, ?, ?, ?, ?)
      """,
      [
        .text(call.id), .text(userId), .text(sample.networkQuality.rawValue),
        .double(sample.packetLossRate), .double(sample.roundTripTime), .time(sample.reportedAt),
        .time(now),
      ])
  }

  /// Plain means of the values given; unknown qualities have no score (contract §7.4).
  static func averages(_ connection: MySQLConnection, callId: String) throws -> CallQuality {
    let scores = NetworkQuality.allCases.compactMap { quality in
      // A DOUBLE: the mean of integers would be rounded to four decimals.
      quality.score.map { "WHEN '\(quality.rawValue)' THEN \($0)e0" }
    }
    let row = try connection.queryRow(
      """
      SELECT AVG(CASE network_quality \(scores.joined(separator: " ")) END),
        AVG(packet_loss_rate), AVG(round_trip_time), COUNT(*)
      FROM call_quality_metrics WHERE call_id = ?
      """, [.text(callId)])
    var quality = CallQuality()
    quality.averageScore = row?.double(0)
    quality.averagePacketLossRate = row?.double(1)
    quality.averageRoundTripTime = row?.double(2)
    quality.samples = Int(row?.int(3) ?? 0)
    return quality
  }
}
