// Writes a change of a call: its row, the outbox, and, when it is over, both histories, the counts,
// the averages, and the participants' freedom. All of it in the caller's transaction, under the
// lock of both lines (design §2).

import Calls
import JSON
import MySQL
import System

struct CallJournal {
  let connection: MySQLConnection
  var lines: UserLines

  /// - Returns: The call as it was written, quality averages included.
  @discardableResult
  mutating func write(_ change: CallChange, from previous: CallStatus) throws -> Call {
    var call = change.call
    if call.status.isTerminal {
      call.quality = try QualityStore.averages(connection, callId: call.id)
    }
    guard try call.update(connection, from: previous) else {
      throw StorageError.lostRow(table: "calls", id: call.id)
    }
    try append(change.events)
    if call.status.isTerminal { try close(call) }
    try lines.save(connection)
    return call
  }

  /// Puts events into the outbox, numbered per recipient.
  mutating func append(_ events: [OutgoingEvent]) throws {
    for outgoing in events {
      let number = lines.nextEventId(for: outgoing.recipient)
      try connection.execute(
        """
        INSERT INTO call_events (user_id, event_id, call_id, event_type, data, origin_device,
          origin_connection, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, UTC_TIMESTAMP(3))
        """,
        [
          .text(outgoing.recipient), .int(number), .text(outgoing.event.callId),
          .text(outgoing.event.type), .text(String(decoding: outgoing.event.data, as: UTF8.self)),
          .text(outgoing.origin.device), .text(outgoing.origin.connection),
        ])
    }
  }

  /// Writes both histories and the counts of a call that is over, and frees both users.
  mutating func close(_ call: Call) throws {
    for user in [call.callerId, call.calleeId] {
      guard let status = call.historyStatus(of: user) else { continue }
      try HistoryStore.insert(connection, call, user: user, status: status)
      try StatisticsStore.count(connection, call, user: user, status: status)
      lines.release(user, from: call.id)
    }
  }
}
