// The rules of a call (R2, R5, R8, contract §4, §5, §7.1): from a call as it was read under the lock
// to the call as it has to be written, with the events that go along. Values only: the caller
// holds the lock, applies the change in the same transaction, and expires an overdue call first.

import System

package struct CallChange: Sendable, Equatable {
  package let call: Call
  package let events: [OutgoingEvent]
  /// Whether the system or an operator ended the call although its participants may still talk: Agora is to
  /// send them out of the channel (contract §9.4).
  package let clearsChannel: Bool

  package init(call: Call, events: [OutgoingEvent], clearsChannel: Bool = false) {
    (self.call, self.events, self.clearsChannel) = (call, events, clearsChannel)
  }

  /// Who is told something.
  package var recipients: Set<UserKey> { Set(events.map { UserKey($0.recipient) }) }
}

extension Call {
  /// Seconds after which the sweeper ends a call that is `disconnecting` (contract §7.1).
  package static let disconnectSeconds: Int64 = 10

  /// R2.2: the callee takes the call.
  /// - Returns: nil where the same device has accepted before.
  /// - Throws: `unauthorizedAccess`, `callTimeout`, `alreadyEnded`, `alreadyAccepted`.
  package func accepted(
    by userId: String, from origin: Origin, at now: Timestamp, maximumSeconds: Int
  ) throws(CallError) -> CallChange? {
    guard isCallee(userId) else {
      throw .unauthorizedAccess("Only the callee may accept a call.")
    }
    if status.isTerminal { throw status == .missed ? .callTimeout : .alreadyEnded }
    guard status.isUnanswered else {
      guard let device = origin.device else { return nil }
      if let acceptedDevice, DeviceID.areSame(device, acceptedDevice) { return nil }
      throw .alreadyAccepted
    }
    var call = self
    call.status = .connecting
    call.acceptedAt = now
    call.acceptedDevice = origin.device
    call.deadlineAt = now.adding(seconds: Int64(maximumSeconds))
    return CallChange(
      call: call,
      events: [
        OutgoingEvent(to: callerId, .accepted(callId: id, channelId: channelId, by: userId)),
        OutgoingEvent(
          to: calleeId, .answeredElsewhere(callId: id, outcome: .accepted), sparing: origin),
      ])
  }

  /// R2.3: the callee refuses the call.
  /// - Returns: nil where it is over already.
  /// - Throws: `unauthorizedAccess`, `alreadyAccepted`.
  package func rejected(
    by userId: String, reason: RejectReason, from origin: Origin, at now: Timestamp
  ) throws(CallError) -> CallChange? {
    guard isCallee(userId) else {
      throw .unauthorizedAccess("Only the callee may reject a call.")
    }
    if status.isTerminal { return nil }
    guard status.isUnanswered else { throw .alreadyAccepted }
    return CallChange(
      call: over(.rejected, reason.endReason, at: now),
      events: [
        OutgoingEvent(
          to: callerId, .rejected(callId: id, by: userId, reason: reason.endReason)),
        OutgoingEvent(
          to: calleeId, .answeredElsewhere(callId: id, outcome: .rejected), sparing: origin),
      ])
  }

  /// R5.1: a participant hangs up. Before the answer that is a cancellation by the caller and a
  /// rejection by the callee.
  /// - Parameter reason: What the client gives: `failed` and `connectionLost` are kept.
  /// - Returns: nil where the call is over already.
  /// - Throws: `unauthorizedAccess`.
  package func ended(
    by userId: String, reason: EndReason, from origin: Origin, at now: Timestamp
  ) throws(CallError) -> CallChange? {
    guard isParticipant(userId) else {
      throw .unauthorizedAccess("You take no part in this call.")
    }
    if status.isTerminal { return nil }
    if status.isUnanswered, isCallee(userId) {
      return try rejected(by: userId, reason: .declined, from: origin, at: now)
    }
    let endReason: EndReason = status.isUnanswered ? .cancelled : reason
    let call = over(endReason == .failed ? .failed : .ended, endReason, at: now)
    return CallChange(
      call: call,
      events: [
        OutgoingEvent(
          to: peer(of: userId),
          .ended(
            callId: id, by: userId, reason: endReason, durationSeconds: call.durationSeconds))
      ])
  }

  /// R8: a client reports a status.
  /// - Returns: nil where the call has that status.
  /// - Throws: `unauthorizedAccess`, `invalidTransition`, and what `accepted` throws.
  package func updated(
    to next: CallStatus, by userId: String, from origin: Origin, at now: Timestamp,
    maximumSeconds: Int
  ) throws(CallError) -> CallChange? {
    guard isParticipant(userId) else {
      throw .unauthorizedAccess("You take no part in this call.")
    }
    if next == status { return nil }
    if next == .connecting, isCaller(userId) {
      throw .unauthorizedAccess("Only the callee may accept a call.")
    }
    guard status.allowedNext.contains(next) else {
      throw .invalidTransition(from: status, to: next)
    }
    if next == .connecting {
      return try accepted(by: userId, from: origin, at: now, maximumSeconds: maximumSeconds)
    }
    var call = self
    call.status = next
    if next == .connected { call.connectedAt = now }
    if next == .disconnecting { call.deadlineAt = now.adding(seconds: Call.disconnectSeconds) }
    return CallChange(
      call: call,
      events: [
        OutgoingEvent(
          to: peer(of: userId), .statusUpdated(callId: id, status: next, by: userId))
      ])
  }

  /// The invitation has reached a device of the callee.
  /// - Returns: nil where the call rings already or is past that.
  package func ringing() -> CallChange? {
    guard status == .initiating else { return nil }
    var call = self
    call.status = .ringing
    return CallChange(
      call: call, events: [OutgoingEvent(to: callerId, .ringing(callId: id))])
  }

  /// R1.4: nobody answered in time.
  package func timedOut(at now: Timestamp) -> CallChange {
    CallChange(
      call: over(.missed, .timeout, at: now),
      events: [
        OutgoingEvent(to: callerId, .timeout(callId: id)),
        OutgoingEvent(to: calleeId, .timeout(callId: id)),
      ])
  }

  /// Seconds without a connection of either participant after which a call is lost (design §3).
  package static let goneSeconds = 90

  /// Both participants had a connection during the call, and neither has had one for 90 s. The call ended
  /// when the later of the two was last seen (contract §7.17), or when it began, if that was later.
  /// - Returns: nil where that is not so, or the call is unanswered or over.
  package func lost(callerSeenAt: Timestamp?, calleeSeenAt: Timestamp?, at now: Timestamp)
    -> CallChange?
  {
    guard !status.isTerminal, !status.isUnanswered, let callerSeenAt, let calleeSeenAt,
      min(callerSeenAt, calleeSeenAt) >= createdAt
    else { return nil }
    let lastSeenAt = max(callerSeenAt, calleeSeenAt)
    guard lastSeenAt < now.adding(seconds: -Int64(Call.goneSeconds)) else { return nil }
    return endedBySystem(
      .connectionLost, at: max(lastSeenAt, connectedAt ?? acceptedAt ?? createdAt))
  }

  /// The system ends an accepted call; both participants get an event without a user in `endedBy`.
  /// - Parameter clearsChannel: Whether Agora sends the participants out of the channel (contract §9.4); nil
  ///   for what follows from the reason: a hang-up is a participant's own.
  package func endedBySystem(
    _ reason: EndReason, at now: Timestamp, clearsChannel: Bool? = nil
  ) -> CallChange {
    let call = over(.ended, reason, at: now)
    let event = CallEvent.ended(
      callId: id, by: nil, reason: reason, durationSeconds: call.durationSeconds)
    return CallChange(
      call: call,
      events: [OutgoingEvent(to: callerId, event), OutgoingEvent(to: calleeId, event)],
      clearsChannel: clearsChannel ?? (reason == .maxDuration || reason == .connectionLost))
  }

  /// What the sweeper does with a call whose deadline has passed; nil where it has not.
  package func overdue(at now: Timestamp) -> CallChange? {
    guard let deadlineAt, now >= deadlineAt, !status.isTerminal else { return nil }
    if status.isUnanswered { return timedOut(at: now) }
    if status == .disconnecting { return endedBySystem(.hangup, at: deadlineAt) }
    // However late it is found: no call is longer than the maximum, counted from when its duration is.
    let maximumSeconds = (deadlineAt.milliseconds - (acceptedAt ?? createdAt).milliseconds) / 1000
    let longest = (connectedAt ?? acceptedAt ?? createdAt).adding(seconds: maximumSeconds)
    return endedBySystem(.maxDuration, at: min(now, longest))
  }

  private func over(_ status: CallStatus, _ reason: EndReason, at now: Timestamp) -> Call {
    var call = self
    call.status = status
    call.endReason = reason
    call.endedAt = now
    call.deadlineAt = nil
    call.durationSeconds = duration(to: now)
    return call
  }
}
