// A row of `calls` and the value that it is.

import Calls
import MySQL
import System

extension Call {
  /// The columns that `init(row:)` reads, in its order; the table is to be named `c`.
  static let columns = identityColumns + qualityColumns
  static let columnCount = 20

  private static let identityColumns = """
    c.id, c.channel_id, c.caller_id, c.callee_id, c.call_type, c.status, c.end_reason, \
    c.accepted_device, c.created_at, c.expires_at, c.accepted_at, c.connected_at, c.ended_at, \
    c.deadline_at, c.duration_seconds,
    """
  private static let qualityColumns = """
     c.quality_average_score, c.quality_average_loss, c.quality_average_rtt, c.quality_samples, \
    c.invited
    """

  /// The same with the means of the samples so far where the call is live; the derived table of
  /// `QualitySQL` is to be named `q`.
  static let columnsWithQuality =
    identityColumns + """
       COALESCE(q.score, c.quality_average_score), COALESCE(q.loss, c.quality_average_loss), \
      COALESCE(q.rtt, c.quality_average_rtt), COALESCE(q.samples, c.quality_samples), c.invited
      """

  /// - Throws: `StorageError` where a row holds what the schema forbids.
  init(row: borrowing MySQLRow) throws {
    guard let type = CallType(rawValue: row.text(4)),
      let status = CallStatus(rawValue: row.text(5)),
      let createdAt = row.time(8), let expiresAt = row.time(9)
    else { throw StorageError.corruptRow(table: "calls", id: row.text(0)) }
    self.init(
      id: row.text(0), channelId: row.text(1), callerId: row.text(2), calleeId: row.text(3),
      type: type, status: status, createdAt: createdAt, ringSeconds: 0)
    endReason = row.optionalText(6).flatMap(EndReason.init(rawValue:))
    acceptedDevice = row.optionalText(7)
    self.expiresAt = expiresAt
    acceptedAt = row.time(10)
    connectedAt = row.time(11)
    endedAt = row.time(12)
    deadlineAt = row.time(13)
    durationSeconds = Int(row.int(14))
    quality.averageScore = row.double(15)
    quality.averagePacketLossRate = row.double(16)
    quality.averageRoundTripTime = row.double(17)
    quality.samples = Int(row.int(18))
    wasInvited = row.int(19) != 0
  }
}

package enum StorageError: Error, Sendable {
  case corruptRow(table: String, id: String)
}
