// A row of `agora_presence` and the value that it is.

import Calls
import MySQL
import System

extension MediaPresence {
  /// The columns that `init(row:at:)` reads, in its order; the table is to be named `p`.
  static let columns = """
    p.caller_sequence, p.caller_joined, p.caller_since, p.caller_reason, p.callee_sequence, \
    p.callee_joined, p.callee_since, p.callee_reason, p.destroyed_at, p.absent_since
    """

  /// - Parameter place: Of the first column.
  /// - Throws: `StorageError` where a row holds what nothing writes.
  init(row: borrowing MySQLRow, at place: Int) throws {
    self.init()
    caller = try Participant(row: row, at: place)
    callee = try Participant(row: row, at: place + 4)
    destroyedAt = row.time(place + 8)
    absentSince = row.time(place + 9)
  }

  /// In the order of the columns.
  var values: [MySQLValue] {
    func values(_ participant: Participant?) -> [MySQLValue] {
      guard let participant else { return Array(repeating: .null, count: 4) }
      return [
        // As digits: it is a BIGINT UNSIGNED.
        .text(String(participant.sequence)), .bool(participant.isJoined),
        .time(participant.since),
        participant.leaveReason.map { .int(Int64($0)) } ?? .null,
      ]
    }
    return values(caller) + values(callee) + [.time(destroyedAt), .time(absentSince)]
  }
}

extension MediaPresence.Participant {
  /// nil where all is NULL: the participant was never reported.
  fileprivate init?(row: borrowing MySQLRow, at place: Int) throws {
    guard let digits = row.optionalText(place) else { return nil }
    guard let sequence = UInt64(digits), let since = row.time(place + 2) else {
      throw StorageError.corruptRow(table: "agora_presence", id: digits)
    }
    self.init(
      sequence: sequence, isJoined: row.int(place + 1) != 0, since: since,
      leaveReason: row.isNull(place + 3) ? nil : Int32(clamping: row.int(place + 3)))
  }
}

extension MediaState {
  /// nil where the column is NULL, as it is without a row.
  init?(row: borrowing MySQLRow, at place: Int) {
    self.init(isJoined: row.isNull(place) ? nil : row.int(place) != 0)
  }
}
