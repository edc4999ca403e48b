// Hanging up, timing out, and the system's own endings (R1.4, R5, contract §4, §5).

import System
import Testing

@testable import Calls

@Suite struct EndingTests {
  private let now = dawn.adding(seconds: 42)

  private func end(_ call: Call, by user: String, _ reason: EndReason = .hangup)
    throws(CallError) -> CallChange?
  {
    try call.ended(by: user, reason: reason, from: Origin(device: "phone"), at: now)
  }

  @Test("R5.1–R5.3 either hangs up: the time, the duration, the other is told")
  func hangingUp() throws {
    for (status, seconds) in [(CallStatus.connecting, 32), (.connected, 30), (.disconnecting, 30)] {
      for (user, other) in [(alice, bob), (bob, alice)] {
        let change = try #require(try end(.sample(status), by: user))
        #expect(change.call.status == .ended)
        #expect(change.call.endReason == .hangup)
        #expect(change.call.endedAt == now)
        #expect(change.call.deadlineAt == nil)
        #expect(change.call.durationSeconds == seconds)
        #expect(
          change.events == [
            OutgoingEvent(
              to: other,
              .ended(
                callId: change.call.id, by: user, reason: .hangup, durationSeconds: seconds))
          ])
      }
    }
  }

  @Test("§4 the caller ending an unanswered call cancels it", arguments: unanswered)
  func cancelling(status: CallStatus) throws {
    for reason in EndReason.allCases {
      let change = try #require(try end(.sample(status), by: alice, reason))
      #expect(change.call.status == .ended)
      #expect(change.call.endReason == .cancelled)
      #expect(change.call.durationSeconds == 0)
      #expect(
        change.events == [
          OutgoingEvent(
            to: bob,
            .ended(callId: change.call.id, by: alice, reason: .cancelled, durationSeconds: 0))
        ])
    }
  }

  @Test("§7.1 the callee ending an unanswered call declines it", arguments: unanswered)
  func declining(status: CallStatus) throws {
    let origin = Origin(device: "phone")
    let rejection = try Call.sample(status).rejected(
      by: bob, reason: .declined, from: origin, at: now)
    #expect(try end(.sample(status), by: bob) == rejection)
    #expect(rejection?.call.endReason == .declined)
  }

  @Test("§4 ending what is over changes nothing", arguments: terminal)
  func endingAgain(status: CallStatus) throws {
    #expect(try end(.sample(status), by: alice) == nil)
    #expect(try end(.sample(status), by: bob) == nil)
  }

  @Test("§4 failed is a status of its own", arguments: answered)
  func failing(status: CallStatus) throws {
    let change = try #require(try end(.sample(status), by: alice, .failed))
    #expect(change.call.status == .failed)
    #expect(change.call.endReason == .failed)
    let lost = try #require(try end(.sample(status), by: alice, .connectionLost))
    #expect(lost.call.status == .ended)
    #expect(lost.call.endReason == .connectionLost)
  }

  @Test("R9.2 a stranger ends nothing", arguments: CallStatus.allCases)
  func stranger(status: CallStatus) {
    #expect(isUnauthorized(refusal { () throws(CallError) in try end(.sample(status), by: carol) }))
  }

  @Test("R1.4 R11.5 overdue and unanswered is missed, and both are told", arguments: unanswered)
  func timingOut(status: CallStatus) throws {
    let call = Call.sample(status)
    let deadline = dawn.adding(seconds: Int64(ringSeconds))
    let before = Timestamp(milliseconds: deadline.milliseconds - 1)
    #expect(call.overdue(at: before) == nil)
    let change = try #require(call.overdue(at: deadline))
    #expect(change.call.status == .missed)
    #expect(change.call.endReason == .timeout)
    #expect(change.call.endedAt == deadline)
    #expect(change.call.deadlineAt == nil)
    #expect(change.call.durationSeconds == 0)
    #expect(
      change.events == [
        OutgoingEvent(to: alice, .timeout(callId: call.id)),
        OutgoingEvent(to: bob, .timeout(callId: call.id)),
      ])
  }

  @Test("§5 overdue and accepted ends for its reason, told by nobody")
  func overdue() throws {
    for status in answered {
      let call = Call.sample(status)
      let deadline = try #require(call.deadlineAt)
      #expect(call.overdue(at: deadline.adding(seconds: -1)) == nil)
      let change = try #require(call.overdue(at: deadline))
      let reason: EndReason = status == .disconnecting ? .hangup : .maxDuration
      #expect(change.call.status == .ended)
      #expect(change.call.endReason == reason)
      let event = CallEvent.ended(
        callId: call.id, by: nil, reason: reason, durationSeconds: change.call.durationSeconds)
      #expect(
        change.events == [OutgoingEvent(to: alice, event), OutgoingEvent(to: bob, event)])
    }
  }

  @Test("§5 what is over is never overdue", arguments: terminal)
  func overIsNotOverdue(status: CallStatus) {
    var call = Call.sample(status)
    call.deadlineAt = dawn
    #expect(call.overdue(at: now) == nil)
  }

  @Test("R5.2 the duration is whole seconds from connected, or else from the acceptance")
  func duration() {
    var call = Call.sample(.ringing)
    #expect(call.duration(to: dawn.adding(seconds: 50)) == 0)
    call.acceptedAt = dawn
    #expect(call.duration(to: dawn.adding(seconds: 50)) == 50)
    #expect(call.duration(to: Timestamp(milliseconds: dawn.milliseconds + 50_999)) == 50)
    #expect(call.duration(to: Timestamp(milliseconds: dawn.milliseconds + 999)) == 0)
    #expect(call.duration(to: dawn.adding(seconds: -5)) == 0)
    call.connectedAt = dawn.adding(seconds: 3)
    #expect(call.duration(to: dawn.adding(seconds: 50)) == 47)
  }

  @Test("§4 expiresAt − createdAt is exactly the timeout; startTime is when talking began")
  func times() {
    var call = Call.sample(.initiating)
    #expect(call.expiresAt.milliseconds - call.createdAt.milliseconds == 60_000)
    #expect(call.startTime == nil)
    (call.status, call.acceptedAt) = (.connecting, dawn)
    #expect(call.startTime == nil)
    call.status = .ended
    #expect(call.startTime == dawn)
    call.connectedAt = dawn.adding(seconds: 2)
    #expect(call.startTime == dawn.adding(seconds: 2))
  }
}
