// A call under lock, its participants' lines first and in the order of their ids: what every change of a
// call begins with (design §2), and the write that ends it. One round trip each.

import Calls
import MySQL
import System

struct LockedCall {
  /// A participant's row of `user_lines`, as it was read under the lock.
  struct Line {
    /// The call that the user is busy with.
    let callId: String?
    let lastEventId: Int64
    /// When the user was last known to have a connection open; nil if never.
    let seenAt: Timestamp?
  }

  let call: Call
  /// The transaction's time.
  let now: Timestamp
  let caller: Line
  let callee: Line
  let transaction: Transaction

  /// Opens the transaction where it is not open yet, and waits for transactions that hold any of it.
  /// - Parameters:
  ///   - userId: Who acts; nil for the system.
  ///   - withQuality: Whether `call.quality` holds the means so far of a call that is live.
  /// - Throws: `CallError`: `notFound`; `unauthorizedAccess` where the user takes no part in the call.
  init(_ transaction: Transaction, _ callId: String, for userId: String?, withQuality: Bool) throws
  {
    guard CallID.isWellFormed(callId),
      let locked = try LockedCall.lock(
        transaction, callId.lowercased(), for: userId, waits: true, withQuality)
    else { throw CallError.notFound(.call) }
    self = locked
  }

  /// The same for the system, without waiting.
  /// - Returns: nil where another transaction holds any of it, or it has been deleted.
  init?(ifFree transaction: Transaction, _ callId: String) throws {
    let locked = try LockedCall.lock(transaction, callId, for: nil, waits: false, true)
    guard let locked else { return nil }
    self = locked
  }

  private static func lock(
    _ transaction: Transaction, _ callId: String, for userId: String?, waits: Bool,
    _ withQuality: Bool
  ) throws -> LockedCall? {
    let begins = transaction.state == .closed
    if begins { transaction.state = .open }
    let locked = try transaction.connection.first(
      Routine.lockCall,
      [.text(callId), .text(userId), .bool(waits), .bool(withQuality), .bool(begins)]
    ) { try LockedCall(row: $0, transaction) }
    if let userId, let locked, !locked.isHeld || !locked.call.isParticipant(userId) {
      if !locked.isHeld { transaction.state = .closed }
      throw CallError.unauthorizedAccess("You take no part in this call.")
    }
    return locked
  }

  private let isHeld: Bool

  /// The row of `lock_call`.
  init(row: borrowing MySQLRow, _ transaction: Transaction) throws {
    let next = Call.columnCount
    call = try Call(row: row)
    now = row.time(next) ?? .now()
    isHeld = row.int(next + 1) != 0
    caller = Line(row: row, at: next + 2)
    callee = Line(row: row, at: next + 5)
    self.transaction = transaction
  }

  /// Ends the call where its deadline has passed.
  /// - Returns: The call as it is then, and whom to notify; an empty set where it was not due.
  func expire() throws -> (call: Call, recipients: Set<UserKey>) {
    guard let change = call.overdue(at: now) else { return (call, []) }
    return (try write(change), change.recipients)
  }

  /// Writes the change: call, outbox, lines and, where the call is over, both histories and the counts.
  /// - Parameter commits: false where the transaction changes other calls as well.
  /// - Returns: The call as it was written.
  @discardableResult
  func write(_ change: CallChange, commits: Bool = true) throws -> Call {
    let values =
      values(change) + [
        .int(transaction.recording.mask(of: change, from: call)), .bool(commits),
      ]
    transaction.note(CallStep(from: call, to: change.call))
    if commits {
      try transaction.commit(Routine.writeCall, values)
    } else {
      transaction.state = .written
      try transaction.connection.execute(Routine.writeCall, values)
    }
    return change.call
  }

  private func values(_ change: CallChange) -> [MySQLValue] {
    let after = change.call
    return [
      .text(after.id), .text(call.status.rawValue), .text(after.status.rawValue),
      .text(after.endReason?.rawValue), .text(after.acceptedDevice), .time(after.createdAt),
      .time(after.acceptedAt), .time(after.connectedAt), .time(after.endedAt),
      .time(after.deadlineAt), .int(after.durationSeconds), .double(after.quality.averageScore),
      .double(after.quality.averagePacketLossRate),
      .double(after.quality.averageRoundTripTime), .int(after.quality.samples),
      .text(after.type.rawValue),
    ] + values(change, of: call.callerId, caller) + values(change, of: call.calleeId, callee)
  }

  private func values(_ change: CallChange, of userId: String, _ line: Line) -> [MySQLValue] {
    let after = change.call
    let isReleased = after.status.isTerminal && line.callId == after.id
    let outgoing = change.events.first { UserID.areSame($0.recipient, userId) }
    return [
      .text(userId), .text(isReleased ? nil : line.callId),
      .int(line.lastEventId + (outgoing == nil ? 0 : 1)), .text(outgoing?.event.type),
      .text((outgoing?.event.data).map { String(decoding: $0, as: UTF8.self) }),
      .text(outgoing?.origin.device), .text(outgoing?.origin.connection),
      .text(after.historyStatus(of: userId)?.rawValue),
    ]
  }
}

extension LockedCall.Line {
  /// - Parameter place: Of the first of three columns.
  fileprivate init(row: borrowing MySQLRow, at place: Int) {
    self.init(
      callId: row.optionalText(place), lastEventId: row.int(place + 1), seenAt: row.time(place + 2))
  }
}
