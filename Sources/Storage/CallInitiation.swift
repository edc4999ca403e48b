// Initiating a call (R1, R2.5): both lines are claimed by one statement, or the call is refused. The claim
// guarantees at most one call per user under concurrency (design §2). Two round trips, one of which writes.

import Calls
import MySQL
import System

package struct Initiation: Sendable {
  package let details: CallDetails
  /// An earlier request brought the call about: made it under the same idempotency key, or joined it.
  package let isReplay: Bool
  /// It is the callee's own call to the caller, accepted (contract §11.3).
  package var isJoined = false
}

extension CallStore {
  /// - Parameters:
  ///   - idempotencyKey: 1–64 printable ASCII characters.
  ///   - origin: Who joins a call that rings for the caller from this callee; nil where it is not to be
  ///     joined.
  /// - Throws: `CallError`: `notFound(.user)`, `notContacts`, `userBusy`, `userUnavailable`,
  ///   `idempotencyKeyReused`.
  package func initiate(
    from callerId: String, to calleeId: String, type: CallType, idempotencyKey: String?,
    joiningAs origin: Origin? = nil
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
      case .idleAgain where attemptsLeft > 0: continue
      case .idleAgain: throw CallError.serviceUnavailable
      case .busy(let busy):
        // An expired call releases both users even if the sweeper has not processed it yet.
        if busy.isOverdue, expired.insert(busy.callId).inserted,
          try clear(busy.callId, from: [callerId, calleeId])
        {
          continue
        }
        if let replay = try replay(idempotencyKey, callerId, calleeId, type) { return replay }
        if let origin, let incoming = busy.incoming,
          incoming.status.isUnanswered || idempotencyKey != nil
        {
          switch try join(incoming, by: callerId, from: origin) {
          case .joined(let joined): return joined
          case .isOver where attemptsLeft > 0: continue
          case .isOver: throw CallError.serviceUnavailable
          case .isTaken:
            throw CallError.userBusy(party: .caller, activeCallId: incoming.id)
          }
        }
        if busy.party == .callee {
          try record(callerId, calleeId, type, refusedAs: .busy, at: busy.now)
        }
        throw busy.refusal
      case .quiet(let now):
        try record(callerId, calleeId, type, refusedAs: .unavailable, at: now)
        throw CallError.userUnavailable
      case .keyTaken:
        if let replay = try replay(idempotencyKey, callerId, calleeId, type) { return replay }
      }
    }
  }

  /// Claims that find a user busy who is idle a moment later, before the request is given up.
  private static let claimAttempts = 20

  private enum Attempt {
    case made(CallDetails)
    case busy(Busy)
    /// The callee is not to be disturbed, at this time of the server's.
    case quiet(Timestamp)
    /// The claim found a user busy who is idle again by now.
    case idleAgain
    /// The same request is being served elsewhere and has won.
    case keyTaken
  }

  private struct Busy {
    let party: CallError.BusyParty
    /// The call that the user is in.
    let callId: String
    /// Its deadline has passed, or it has been deleted.
    let isOverdue: Bool
    /// The same call, where it is one from the callee to the caller.
    var incoming: IncomingCall?
    /// The server's time.
    let now: Timestamp

    var refusal: CallError {
      let isRinging = !isOverdue && incoming?.status.isUnanswered == true
      return .userBusy(
        party: party, activeCallId: party == .caller ? callId : nil,
        incomingCallId: isRinging ? callId : nil)
    }
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
      return try claim(CallDetails(call: call, caller: caller, callee: callee), idempotencyKey)
    } catch let error as MySQLError where error.isDuplicate(in: "calls_idempotency") {
      return .keyTaken
    }
  }

  /// Takes both lines and writes the call and its invitation, in one round trip. The call's times are those
  /// at which the lines were taken.
  private func claim(_ details: CallDetails, _ idempotencyKey: String?) throws -> Attempt {
    let call = details.call
    let uids = call.uids
    return try database.change { transaction -> Attempt in
      try transaction.perform(
        Routine.initiateCall,
        [
          .text(call.id), .text(call.channelId), .text(call.callerId), .text(call.calleeId),
          .int(uids.caller), .int(uids.callee), .text(call.type.rawValue), .text(idempotencyKey),
          .int(settings.ringSeconds), .text(CallEvent.invitationType),
          .text(CallEvent.invitationUpToExpiry(call, from: details.caller)),
          .int(transaction.recording.mask(ofInvitation: call)),
        ]
      ) { row -> Attempt in
        let now = row.time(5) ?? .now()
        if row.int(0) != 0 {
          var made = details
          made.call.begins(at: now, ringSeconds: settings.ringSeconds)
          transaction.note(CallStep(made: made.call))
          return .made(made)
        }
        if let callId = row.optionalText(1) {
          let status = row.optionalText(6).flatMap(CallStatus.init(rawValue:))
          return .busy(
            Busy(
              party: .caller, callId: callId, isOverdue: row.int(2) != 0,
              incoming: status.map {
                IncomingCall(id: callId, status: $0, from: details.callee, to: details.caller)
              }, now: now))
        }
        // Said rather than that the callee is in a call: it is the callee's own word.
        if row.int(7) != 0 { return .quiet(now) }
        guard let callId = row.optionalText(3) else { return .idleAgain }
        return .busy(Busy(party: .callee, callId: callId, isOverdue: row.int(4) != 0, now: now))
      } ?? .idleAgain
    }
  }

  /// Frees users from a call whose deadline has passed, or that an administrator has deleted.
  /// - Returns: Whether there was anything to free them from.
  private func clear(_ callId: String, from users: [String]) throws -> Bool {
    if let call = try find(callId) { return try expire(call.id)?.wasDue ?? false }
    return try database.read {
      try $0.execute(
        """
        UPDATE user_lines FORCE INDEX (PRIMARY) SET call_id = NULL
        WHERE user_id IN (?, ?) AND call_id = ? AND NOT EXISTS (SELECT 1 FROM calls WHERE id = ?)
        """, users.map { .text($0) } + [.text(callId), .text(callId)])
    } > 0
  }

  /// Writes the end of a call whose deadline has passed.
  /// - Parameter ifFree: Only where no other transaction holds the call; else that is waited for.
  /// - Returns: The call as it is then, and whether its deadline had passed; nil where another
  ///   transaction holds it.
  func expire(_ callId: String, ifFree: Bool = false) throws -> (call: Call, wasDue: Bool)? {
    let expired = try database.change { transaction -> (Call, Set<UserKey>)? in
      if ifFree { return try LockedCall(ifFree: transaction, callId)?.expire() }
      return try LockedCall(transaction, callId, for: nil, withQuality: true).expire()
    }
    guard let (call, recipients) = expired else { return nil }
    hints.publish(to: recipients)
    return (call, !recipients.isEmpty)
  }

  /// A call to a callee who is busy, or not to be disturbed, is recorded, and the callee's devices stay
  /// silent (contract §4, §11.2).
  private func record(
    _ callerId: String, _ calleeId: String, _ type: CallType, refusedAs reason: EndReason,
    at now: Timestamp
  ) throws {
    var call = Call(
      id: CallID.make(now: now, randomness: randomness),
      channelId: ChannelID.make(randomness: randomness), callerId: callerId, calleeId: calleeId,
      type: type, status: .rejected, createdAt: now, ringSeconds: settings.ringSeconds)
    (call.endReason, call.endedAt, call.deadlineAt) = (reason, now, nil)
    call.wasInvited = false
    let uids = call.uids
    _ = try database.change { transaction in
      transaction.note(CallStep(made: call))
      return try transaction.perform(
        Routine.recordCall,
        [
          .text(call.id), .text(call.channelId), .text(callerId), .text(calleeId),
          .int(uids.caller), .int(uids.callee), .text(type.rawValue),
          .text(call.status.rawValue), .text(call.endReason?.rawValue), .time(call.createdAt),
          .time(call.expiresAt), .text(call.historyStatus(of: callerId)?.rawValue),
          .text(call.historyStatus(of: calleeId)?.rawValue),
          .int(transaction.recording.mask(ofRefused: call)),
        ]
      ) { _ in true }
    }
    hints.publishRecord()
  }

  /// What the first request under this key made; nil where there was none.
  private func replay(
    _ key: String?, _ callerId: String, _ calleeId: String, _ type: CallType
  ) throws -> Initiation? {
    guard let key, let found = try details(.idempotent(caller: callerId, key: key)) else {
      return nil
    }
    let call = found.details.call
    guard call.isCallee(calleeId), call.type == type else { throw CallError.idempotencyKeyReused }
    return Initiation(details: found.details, isReplay: true)
  }
}

extension Call {
  /// Both participants' uids in Agora's channel.
  fileprivate var uids: (caller: Int64, callee: Int64) {
    func uid(_ user: String) -> Int64 {
      Int64(AgoraUID.uid(of: user, callerId: callerId, calleeId: calleeId))
    }
    return (uid(callerId), uid(calleeId))
  }
}
