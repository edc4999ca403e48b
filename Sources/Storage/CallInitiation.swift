// Initiating a call (R1, R2.5): both lines are claimed by one statement, or the call is refused. The
// claim is what makes a second call of a user impossible, whoever races (design §2).

import Calls
import MySQL
import System

package struct Initiation: Sendable {
  package let details: CallDetails
  /// Made before, under the same idempotency key.
  package let isReplay: Bool
}

extension CallStore {
  /// - Parameter idempotencyKey: 1–64 printable ASCII characters.
  /// - Throws: `CallError`: `notFound(.user)`, `notContacts`, `userBusy`, `idempotencyKeyReused`.
  package func initiate(
    from callerId: String, to calleeId: String, type: CallType, idempotencyKey: String?
  ) throws -> Initiation {
    if let replay = try replay(idempotencyKey, callerId, calleeId, type) { return replay }
    var expired: Set<String> = []
    var attemptsLeft = Self.claimAttempts
    while true {
      attemptsLeft -= 1
      switch try attempt(callerId, calleeId, type, idempotencyKey) {
      case .made(let details):
        hints.publish(to: [UserKey(calleeId)])
        return Initiation(details: details, isReplay: false)
      case .linesMissing: try UserLines.create([callerId, calleeId], database)
      case .idleAgain where attemptsLeft > 0: continue
      case .idleAgain: throw CallError.serviceUnavailable
      case .busy(let party, let blockingCallId):
        // Nobody stays busy with a call whose time is up, whether or not the sweeper has been there.
        if expired.insert(blockingCallId).inserted,
          try clear(blockingCallId, from: [callerId, calleeId])
        {
          continue
        }
        if let replay = try replay(idempotencyKey, callerId, calleeId, type) { return replay }
        if party == .callee { try recordBusy(callerId, calleeId, type) }
        throw CallError.userBusy(
          party: party, activeCallId: party == .caller ? blockingCallId : nil)
      case .keyTaken:
        if let replay = try replay(idempotencyKey, callerId, calleeId, type) { return replay }
      }
    }
  }

  /// Claims that find somebody busy who is idle a moment later, before the request is given up.
  private static let claimAttempts = 20

  private enum Attempt {
    case made(CallDetails)
    /// Somebody has never had a line.
    case linesMissing
    case busy(CallError.BusyParty, blockingCallId: String)
    /// The claim found somebody busy who is idle again by now.
    case idleAgain
    /// The same request is being served elsewhere and has won.
    case keyTaken
  }

  private func attempt(
    _ callerId: String, _ calleeId: String, _ type: CallType, _ idempotencyKey: String?
  ) throws -> Attempt {
    let people = try database.read {
      try Directory.acquaintance($0, caller: callerId, callee: calleeId)
    }
    guard let caller = people.caller, let callee = people.callee else {
      throw CallError.notFound(.user)
    }
    guard people.isContact, !people.isBlocked else { throw CallError.notContacts }
    let call = Call(
      id: CallID.make(now: people.now, randomness: randomness),
      channelId: ChannelID.make(randomness: randomness), callerId: callerId, calleeId: calleeId,
      type: type, createdAt: people.now, ringSeconds: settings.ringSeconds)
    do {
      try database.transaction { connection in
        guard try claim(connection, call) else { throw ClaimFailed() }
        try call.insert(connection, idempotencyKey: idempotencyKey)
        try invite(connection, call, caller: caller)
      }
      return .made(CallDetails(call: call, caller: caller, callee: callee))
    } catch is ClaimFailed {
      return try whoIsBusy(callerId, calleeId)
    } catch let error as MySQLError where error.isDuplicate(in: "calls_idempotency") {
      return .keyTaken
    }
  }

  /// Rolls the claim back.
  private struct ClaimFailed: Error {}

  /// Takes both lines if both are idle, and a number for the callee's invitation.
  private func claim(_ connection: MySQLConnection, _ call: Call) throws -> Bool {
    try connection.execute(
      """
      UPDATE user_lines FORCE INDEX (PRIMARY)
      SET call_id = ?, last_event_id = last_event_id + (user_id = ?)
      WHERE user_id IN (?, ?) AND call_id IS NULL
      """,
      [.text(call.id), .text(call.calleeId), .text(call.callerId), .text(call.calleeId)]) == 2
  }

  private func invite(_ connection: MySQLConnection, _ call: Call, caller: Party) throws {
    let event = CallEvent.invitation(call: call, caller: caller)
    try connection.execute(
      """
      INSERT INTO call_events (user_id, event_id, call_id, event_type, data, created_at)
      SELECT user_id, last_event_id, ?, ?, ?, UTC_TIMESTAMP(3) FROM user_lines WHERE user_id = ?
      """,
      [
        .text(call.id), .text(event.type), .text(String(decoding: event.data, as: UTF8.self)),
        .text(call.calleeId),
      ])
  }

  private func whoIsBusy(_ callerId: String, _ calleeId: String) throws -> Attempt {
    let rows = try database.read {
      try $0.query(
        "SELECT user_id, call_id FROM user_lines WHERE user_id IN (?, ?)",
        [.text(callerId), .text(calleeId)])
    }
    guard rows.count == 2 else { return .linesMissing }
    func callId(of user: String) -> String? {
      rows.first { UserID.areSame($0.text(0), user) }?.optionalText(1)
    }
    if let own = callId(of: callerId) { return .busy(.caller, blockingCallId: own) }
    if let other = callId(of: calleeId) { return .busy(.callee, blockingCallId: other) }
    return .idleAgain
  }

  /// Frees users from a call whose deadline has passed, or that an administrator has deleted.
  /// - Returns: Whether there was anything to free them from.
  private func clear(_ callId: String, from users: [String]) throws -> Bool {
    if let call = try find(callId) { return try expire(call)?.wasDue ?? false }
    return try database.read {
      try $0.execute(
        """
        UPDATE user_lines FORCE INDEX (PRIMARY) SET call_id = NULL
        WHERE user_id IN (?, ?) AND call_id = ? AND NOT EXISTS (SELECT 1 FROM calls WHERE id = ?)
        """, users.map { .text($0) } + [.text(callId), .text(callId)])
    } > 0
  }

  /// Writes the end of a call whose deadline has passed.
  /// - Parameter ifFree: Only where nobody else has the call in hand; else that is waited for.
  /// - Returns: The call as it is then, and whether its deadline had passed; nil where somebody has it.
  func expire(_ known: Call, ifFree: Bool = false) throws -> (call: Call, wasDue: Bool)? {
    let expired = try database.transaction { connection -> (Call, Set<UserKey>)? in
      var locked =
        ifFree
        ? try LockedCall(ifFree: connection, known.id, known.callerId, known.calleeId)
        : try LockedCall(connection, known.id, known.callerId, known.calleeId)
      return try locked?.expire()
    }
    guard let (call, recipients) = expired else { return nil }
    hints.publish(to: recipients)
    return (call, !recipients.isEmpty)
  }

  /// A call to a busy callee is recorded, and the callee is not disturbed (contract §4).
  private func recordBusy(_ callerId: String, _ calleeId: String, _ type: CallType) throws {
    try database.transaction { connection in
      let lines = try UserLines.lock(connection, callerId, calleeId)
      let now = try connection.queryRow("SELECT UTC_TIMESTAMP(3)")?.time(0) ?? .now()
      var call = Call(
        id: CallID.make(now: now, randomness: randomness),
        channelId: ChannelID.make(randomness: randomness), callerId: callerId, calleeId: calleeId,
        type: type, status: .rejected, createdAt: now, ringSeconds: settings.ringSeconds)
      (call.endReason, call.endedAt, call.deadlineAt) = (.busy, now, nil)
      try call.insert(connection, idempotencyKey: nil)
      var journal = CallJournal(connection: connection, lines: lines)
      try journal.close(call)
    }
  }

  /// What the first request under this key made; nil where there was none.
  private func replay(
    _ key: String?, _ callerId: String, _ calleeId: String, _ type: CallType
  ) throws -> Initiation? {
    guard let key else { return nil }
    return try database.read { connection -> Initiation? in
      let row = try connection.queryRow(
        """
        SELECT \(Call.columns) FROM calls c WHERE c.caller_id = ? AND c.idempotency_key = ?
        """, [.text(callerId), .text(key)])
      guard let row else { return nil }
      let call = try Call(row: row)
      guard call.isCallee(calleeId), call.type == type else {
        throw CallError.idempotencyKeyReused
      }
      return Initiation(details: try CallStore.details(connection, call), isReplay: true)
    }
  }

  static func details(_ connection: MySQLConnection, _ call: Call) throws -> CallDetails {
    let parties = try Directory.parties(
      connection, [UserKey(call.callerId), UserKey(call.calleeId)])
    func party(_ id: String) -> Party {
      parties[UserKey(id)] ?? Party(id: id, name: nil, avatar: nil)
    }
    return CallDetails(call: call, caller: party(call.callerId), callee: party(call.calleeId))
  }
}
