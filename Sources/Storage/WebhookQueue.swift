// The requests to servers elsewhere that are due (contract §8.2, §9.4): claimed under a lease by any number of
// hosts, in order within a call, settled when the answer is known. A lease that runs out is claimed again, so
// an event is sent at least once.

import Calls
import MySQL
import System

/// A row of `webhook_events`.
package struct DeliveryKey: Sendable, Hashable {
  package let callId: String
  package let sequence: Int

  package init(callId: String, sequence: Int) {
    (self.callId, self.sequence) = (callId, sequence)
  }

  /// nil for a kick.
  package var type: WebhookType? { WebhookType(sequence: sequence) }
}

/// What is to be sent, with what its content is made of.
package struct Delivery: Sendable {
  package let key: DeliveryKey
  /// Requests made before.
  package let attempts: Int
  /// Whether it is sent however late it is.
  package let isForced: Bool
  /// When it was recorded.
  package let createdAt: Timestamp
  package let call: Call
  package let caller: Party
  package let callee: Party
  /// The database's clock.
  package let now: Timestamp
}

/// What shares a bound on the requests that run at once.
package enum DeliveryQueue: String, Sendable, CaseIterable {
  /// Webhooks that have not been tried yet.
  case fresh
  /// Webhooks whose request has failed.
  case retry
  case kick

  /// For a statement that is to find its rows by the index.
  static let all = "queue IN ('fresh', 'retry', 'kick')"
}

package enum DeliveryOutcome: Sendable, Equatable {
  case delivered
  case retry(afterMilliseconds: Int64, error: String)
  case givenUp(error: String)
}

/// What waits to be sent.
package struct DeliveryBacklog: Sendable, Equatable {
  /// Up to ``limit``.
  package var pending = 0
  /// How long the oldest event that has not been tried yet is overdue.
  package var lagMilliseconds: Int64 = 0

  package static let limit = DeliveryCounter.pendingLimit
}

package final class WebhookQueue {
  /// What one claim takes at the most.
  package static let batch = 32
  /// Longer than an exchange may take (contract §8.2: 10 s).
  package static let leaseSeconds = 20
  /// After this time an event whose call is not there is one of a call that has been deleted.
  private static let leftOverSeconds = 60
  /// Of the text that is kept of a failure, in characters.
  private static let errorLength = 255
  /// Events of one call that wait for the one that is being sent.
  private static let successors = 3

  private let database: Database
  /// This process's name in a lease.
  private let owner: String

  /// - Parameter owner: 1–64 characters of ASCII.
  package init(_ database: Database, owner: String) {
    (self.database, self.owner) = (database, owner)
  }

  /// Ends leases whose holders are gone, so that nobody waits until they run out.
  /// - Parameter isGone: Says so of a holder's name.
  package func release(where isGone: (String) -> Bool) throws {
    let leased = "\(DeliveryQueue.all) AND due_at > UTC_TIMESTAMP(3) AND leased_by"
    let holders = try database.read {
      try $0.map("SELECT DISTINCT leased_by FROM webhook_events WHERE \(leased) IS NOT NULL", []) {
        $0.text(0)
      }
    }
    for holder in holders where isGone(holder) {
      try database.read {
        try $0.execute(
          """
          UPDATE webhook_events SET due_at = UTC_TIMESTAMP(3), leased_by = NULL
          WHERE \(leased) = ?
          """, [.text(holder)])
      }
    }
  }

  /// Takes what is due, what is overdue for longest first.
  /// - Parameters:
  ///   - limit: At the most; no more than ``batch`` are.
  ///   - inFlight: Claimed events that are not settled yet; those behind them in their calls are passed over.
  package func claim(_ queue: DeliveryQueue, limit: Int, inFlight: Int) throws -> [Delivery] {
    let limit = min(limit, Self.batch)
    if limit < 1 { return [] }
    if try !isAnythingDue(queue) { return [] }
    let margin = (inFlight + Self.batch) * Self.successors
    return try database.transaction { connection in
      let due = try connection.map(
        """
        SELECT call_id, sequence FROM webhook_events
        WHERE queue = ? AND due_at <= UTC_TIMESTAMP(3) ORDER BY due_at LIMIT ?
        FOR UPDATE SKIP LOCKED
        """, [.text(queue.rawValue), .int(limit + margin)]
      ) { DeliveryKey(callId: $0.text(0), sequence: Int($0.int(1))) }
      var claimed: [Delivery] = []
      for start in stride(from: 0, to: due.count, by: Self.batch) where claimed.count < limit {
        let keys = Array(due[start..<min(start + Self.batch, due.count)])
        claimed += try self.claim(keys, limit: limit - claimed.count, connection)
      }
      return claimed
    }
  }

  /// Most looks find nothing, and take no lock.
  private func isAnythingDue(_ queue: DeliveryQueue) throws -> Bool {
    try database.read {
      try $0.first(
        """
        SELECT 1 FROM webhook_events WHERE queue = ? AND due_at <= UTC_TIMESTAMP(3) LIMIT 1
        """, [.text(queue.rawValue)]
      ) { _ in true }
    } ?? false
  }

  /// Of rows that are locked, those that are next in their calls. The predecessors are read after the locks
  /// were taken: what settles one of them changes its successors too, and so waits for this transaction.
  private func claim(_ keys: [DeliveryKey], limit: Int, _ connection: MySQLConnection) throws
    -> [Delivery]
  {
    var found: [(delivery: Delivery, blockedUntil: Timestamp?)] = []
    try connection.read(try dueSQL(keys.count, connection), values(keys)) { row in
      found.append(try Self.delivery(row))
    }
    let known = Set(found.map(\.delivery.key))
    for key in keys where !known.contains(key) {
      guard try isLeftOver(key, connection) else { continue }
      try settle(key, .givenUp(error: "the call has been deleted"), connection)
    }
    for (delivery, blockedUntil) in found {
      guard let blockedUntil else { continue }
      try connection.execute(
        "UPDATE webhook_events SET due_at = ? WHERE call_id = ? AND sequence = ?",
        [.time(blockedUntil)] + values([delivery.key]))
    }
    let free = found.filter { $0.blockedUntil == nil }.map(\.delivery).prefix(limit)
    if free.isEmpty { return [] }
    try connection.execute(
      """
      UPDATE webhook_events SET leased_by = ?,
        due_at = UTC_TIMESTAMP(3) + INTERVAL \(Self.leaseSeconds) SECOND
      WHERE \(Self.isOneOf(places(free.count)))
      """, [.text(owner)] + values(free.map(\.key)))
    return Array(free)
  }

  /// Whether an event without its call is there for longer than a moment. MariaDB lets go of a committed row's lock
  /// before the row is in sight of a read without one: an event can be locked while its call is not yet seen.
  private func isLeftOver(_ key: DeliveryKey, _ connection: MySQLConnection) throws -> Bool {
    try connection.first(
      """
      SELECT 1 FROM webhook_events WHERE call_id = ? AND sequence = ?
        AND created_at < UTC_TIMESTAMP(3) - INTERVAL \(Self.leftOverSeconds) SECOND
      """, values([key])
    ) { _ in true } ?? false
  }

  private func dueSQL(_ count: Int, _ connection: MySQLConnection) throws -> String {
    let users = try database.usersKey(connection)
    return """
      SELECT \(Call.columns), UTC_TIMESTAMP(3), \(Party.columns("a")), \(Party.columns("b")),
        e.sequence, e.attempts, e.is_forced, e.created_at,
        (SELECT MAX(p.due_at) FROM webhook_events p
         WHERE p.call_id = e.call_id AND p.sequence < e.sequence
           AND e.sequence <> \(Recording.kickSequence))
      FROM webhook_events e JOIN calls c ON c.id = e.call_id
      \(users.join("a", on: "c.caller_id")) \(users.join("b", on: "c.callee_id"))
      WHERE \(Self.isOneOf(places(count), of: "e.")) ORDER BY e.due_at, e.sequence
      """
  }

  private static func delivery(_ row: borrowing MySQLRow) throws -> (Delivery, Timestamp?) {
    let call = try Call(row: row)
    let place = Call.columnCount + 1
    let next = place + 8
    let delivery = Delivery(
      key: DeliveryKey(callId: call.id, sequence: Int(row.int(next))),
      attempts: Int(row.int(next + 1)), isForced: row.int(next + 2) != 0,
      createdAt: row.time(next + 3) ?? call.createdAt, call: call,
      caller: Party(id: call.callerId, row: row, at: place)
        ?? Party(id: call.callerId, name: nil, avatar: nil),
      callee: Party(id: call.calleeId, row: row, at: place + 4)
        ?? Party(id: call.calleeId, name: nil, avatar: nil),
      now: row.time(Call.columnCount) ?? .now())
    return (delivery, row.time(next + 4))
  }

  // MARK: Settling

  /// Writes what became of requests. An event whose lease another owner has taken meanwhile is that one's.
  package func settle(_ outcomes: [(key: DeliveryKey, outcome: DeliveryOutcome)]) throws {
    if outcomes.isEmpty { return }
    try database.transaction { connection in
      for (key, outcome) in outcomes { try settle(key, outcome, connection) }
    }
  }

  private func settle(
    _ key: DeliveryKey, _ outcome: DeliveryOutcome, _ connection: MySQLConnection
  ) throws {
    let isMine = "call_id = ? AND sequence = ? AND (leased_by IS NULL OR leased_by = ?)"
    let mine = values([key]) + [.text(owner)]
    var (state, error) = ("delivered", String?.none)
    switch outcome {
    case .delivered: break
    case .givenUp(let text): (state, error) = ("failed", text)
    case .retry(let milliseconds, let text):
      try connection.execute(
        """
        UPDATE webhook_events SET attempts = attempts + 1, leased_by = NULL,
          queue = IF(queue = 'kick', 'kick', 'retry'), last_error = ?, due_at = UTC_TIMESTAMP(3) + INTERVAL ? MICROSECOND WHERE \(isMine)
        """, [.text(Self.shortened(text)), .int(milliseconds * 1000)] + mine)
      return
    }
    try connection.execute(
      """
      UPDATE webhook_events SET attempts = attempts + 1, state = ?, last_error = ?,
        leased_by = NULL, due_at = NULL, settled_at = UTC_TIMESTAMP(3) WHERE \(isMine)
      """, [.text(state), .text(error.map(Self.shortened))] + mine)
    // Its successors are due at once.
    try connection.execute(
      """
      UPDATE webhook_events SET due_at = UTC_TIMESTAMP(3)
      WHERE call_id = ? AND sequence > ? AND sequence < \(Recording.kickSequence)
        AND due_at IS NOT NULL AND leased_by IS NULL AND queue = 'fresh'
      """, values([key]))
  }

  private static func shortened(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.prefix(errorLength)))
  }

  // MARK: Looking

  /// When every token of the call's channel has expired; nil where there never was one.
  package func lastTokenExpiry(of call: Call) throws -> Timestamp? {
    try database.read {
      try $0.first(
        """
        SELECT MAX(expires_at) FROM token_audit
        WHERE user_id IN (?, ?) AND issued_at >= ? AND channel_id = ?
        """,
        [
          .text(call.callerId), .text(call.calleeId),
          .time(call.createdAt.adding(seconds: -1)), .text(call.channelId),
        ]
      ) { $0.time(0) }
    } ?? nil
  }

  package func backlog() throws -> DeliveryBacklog {
    try database.read { connection in
      try connection.first(
        """
        SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM webhook_events
            WHERE \(DeliveryQueue.all) AND due_at IS NOT NULL LIMIT \(DeliveryBacklog.limit)) some),
          (SELECT TIMESTAMPDIFF(MICROSECOND, MIN(due_at), UTC_TIMESTAMP(3)) FROM webhook_events
           WHERE queue = 'fresh' AND due_at <= UTC_TIMESTAMP(3))
        """, []
      ) { row in
        DeliveryBacklog(pending: Int(row.int(0)), lagMilliseconds: max(0, row.int(1) / 1000))
      } ?? DeliveryBacklog()
    }
  }

  // MARK: Statements of several rows

  /// A few lengths only, so that few statements are prepared.
  private func places(_ count: Int) -> Int { [1, 4, Self.batch].first { $0 >= count } ?? count }

  /// One comparison a row: MariaDB finds no index for a list of pairs.
  private static func isOneOf(_ places: Int, of table: String = "") -> String {
    "("
      + Array(repeating: "\(table)call_id = ? AND \(table)sequence = ?", count: places)
      .joined(separator: " OR ") + ")"
  }

  /// The remaining places are filled with the first key.
  private func values(_ keys: [DeliveryKey]) -> [MySQLValue] {
    let filled = keys + Array(repeating: keys[0], count: places(keys.count) - keys.count)
    return filled.flatMap { [.text($0.callId), .int($0.sequence)] }
  }
}
