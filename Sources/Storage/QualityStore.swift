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
  /// - Throws: `CallError`: `notFound`, `unauthorizedAccess`; `noActiveCall` unless the call is connecting,
  ///   connected or disconnecting.
  package func record(_ sample: QualitySample, callId: String, by userId: String) throws
    -> Timestamp
  {
    let (recordedAt, recipients) = try database.change { transaction in
      let locked = try LockedCall(transaction, callId, for: userId, withQuality: false)
      let (call, now) = (locked.call, locked.now)
      guard !call.status.isTerminal, call.acceptedAt != nil else { throw CallError.noActiveCall }
      let peer = call.peer(of: userId)
      let line = call.isCaller(peer) ? locked.caller : locked.callee
      let warning =
        sample.networkQuality.isPoor
        ? CallEvent.qualityWarning(
          callId: call.id, participantId: userId, quality: sample.networkQuality) : nil
      try transaction.commit(
        Routine.recordQuality,
        [
          .text(call.id), .text(userId), .text(sample.networkQuality.rawValue),
          .double(sample.packetLossRate), .double(sample.roundTripTime),
          .time(sample.reportedAt), .time(now), .text(peer), .int(line.lastEventId + 1),
          .text(warning?.type), .text((warning?.data).map { String(decoding: $0, as: UTF8.self) }),
        ])
      return (now, warning == nil ? [] : [UserKey(peer)])
    }
    hints.publish(to: recipients)
    return recordedAt
  }

  /// A statement for the means of the samples of a live call, which ends up as no row where the call is
  /// over: then its row has those that its end wrote. Plain means of the values given; unknown qualities
  /// have no score (contract §7.4).
  /// - Parameter id: Of the call, twice in the statement: an expression without columns.
  static func liveAverages(of id: String) -> String {
    """
    SELECT m.call_id, AVG(\(score)) AS score,
      AVG(m.packet_loss_rate) AS loss, AVG(m.round_trip_time) AS rtt, COUNT(*) AS samples
    FROM call_quality_metrics m
    WHERE m.call_id = \(id) AND EXISTS (
      SELECT 1 FROM calls live WHERE live.id = \(id) AND live.accepted_at IS NOT NULL
        AND live.deadline_at IS NOT NULL)
    GROUP BY m.call_id
    """
  }

  /// An expression for a sample's score, NULL for an unknown quality; the table is to be named `m`. A DOUBLE:
  /// the mean of integers would be rounded to four decimals.
  static let score: String = {
    let scores = NetworkQuality.allCases.compactMap { quality in
      quality.score.map { "WHEN '\(quality.rawValue)' THEN \($0)e0" }
    }
    return "CASE m.network_quality \(scores.joined(separator: " ")) END"
  }()
}
