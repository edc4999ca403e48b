// A row of `calls` and the value that it is.

import Calls
import MySQL
import System

extension Call {
  /// The columns that `init(row:)` reads, in its order; the table is to be named `c`.
  static let columns = """
    c.id, c.channel_id, c.caller_id, c.callee_id, c.call_type, c.status, c.end_reason, \
    c.accepted_device, c.created_at, c.expires_at, c.accepted_at, c.connected_at, c.ended_at, \
    c.deadline_at, c.duration_seconds, c.quality_average_score, c.quality_average_loss, \
    c.quality_average_rtt, c.quality_samples
    """
  static let columnCount = 19

  /// - Throws: `MySQLError` where a row holds what the schema forbids.
  init(row: MySQLRow) throws {
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
  }

  /// The hour of `call_statistics` that counts it once it is over.
  private var countedHour: Timestamp? {
    status.isTerminal ? createdAt.floored(toSeconds: StatisticsStore.hourSeconds) : nil
  }

  func insert(_ connection: MySQLConnection, idempotencyKey: String?) throws {
    try connection.execute(
      """
      INSERT INTO calls (id, channel_id, caller_id, callee_id, call_type, status, end_reason,
        idempotency_key, created_at, expires_at, ended_at, counted_hour, deadline_at)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """,
      [
        .text(id), .text(channelId), .text(callerId), .text(calleeId), .text(type.rawValue),
        .text(status.rawValue), .text(endReason?.rawValue), .text(idempotencyKey),
        .time(createdAt), .time(expiresAt), .time(endedAt), .time(countedHour),
        .time(deadlineAt),
      ])
  }

  /// Writes what can change, on the condition that the status is still the one that was read.
  ///
  /// By the primary key: the optimizer takes the index of `status` where few calls have that one, and
  /// then waits for calls that are none of this transaction's.
  /// - Returns: Whether it was.
  func update(_ connection: MySQLConnection, from previous: CallStatus) throws -> Bool {
    try connection.execute(
      """
      UPDATE calls FORCE INDEX (PRIMARY) SET status = ?, end_reason = ?, accepted_device = ?,
        accepted_at = ?, connected_at = ?, ended_at = ?, counted_hour = ?, deadline_at = ?,
        duration_seconds = ?, quality_average_score = ?, quality_average_loss = ?,
        quality_average_rtt = ?, quality_samples = ?
      WHERE id = ? AND status = ?
      """,
      [
        .text(status.rawValue), .text(endReason?.rawValue), .text(acceptedDevice),
        .time(acceptedAt), .time(connectedAt), .time(endedAt), .time(countedHour),
        .time(deadlineAt), .int(durationSeconds), .double(quality.averageScore),
        .double(quality.averagePacketLossRate), .double(quality.averageRoundTripTime),
        .int(quality.samples), .text(id), .text(previous.rawValue),
      ]) == 1
  }
}

package enum StorageError: Error, Sendable {
  case corruptRow(table: String, id: String)
  /// A row that is locked by this transaction was changed by another: the invariant is broken.
  case lostRow(table: String, id: String)
}
