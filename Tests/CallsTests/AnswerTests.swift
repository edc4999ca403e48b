// Accept and reject (R2, contract §4, §7.1).

import System
import Testing

@testable import Calls

@Suite struct AnswerTests {
  private let now = dawn.adding(seconds: 20)
  private let phone = Origin(device: "phone", connection: "c1")

  private func accept(_ call: Call, by user: String = bob, from origin: Origin? = nil)
    throws(CallError) -> CallChange?
  {
    try call.accepted(
      by: user, from: origin ?? phone, at: now, maximumSeconds: maximumSeconds)
  }

  private func reject(
    _ call: Call, by user: String = bob, _ reason: RejectReason = .declined
  ) throws(CallError) -> CallChange? {
    try call.rejected(by: user, reason: reason, from: phone, at: now)
  }

  @Test("R2.2 R11.2 an accept connects and tells the caller", arguments: unanswered)
  func accepting(status: CallStatus) throws {
    let change = try #require(try accept(.sample(status)))
    var expected = Call.sample(status)
    (expected.status, expected.acceptedAt, expected.acceptedDevice) = (.connecting, now, "phone")
    expected.deadlineAt = now.adding(seconds: Int64(maximumSeconds))
    #expect(change.call == expected)
    let id = expected.id
    #expect(
      change.events == [
        OutgoingEvent(to: alice, .accepted(callId: id, channelId: "channel", by: bob)),
        OutgoingEvent(
          to: bob, .answeredElsewhere(callId: id, outcome: .accepted), sparing: phone),
      ])
  }

  @Test("§7.1 again from the same device, or without one: nothing changes", arguments: answered)
  func acceptingAgain(status: CallStatus) throws {
    #expect(try accept(.sample(status)) == nil)
    #expect(try accept(.sample(status), from: Origin()) == nil)
    #expect(try accept(.sample(status), from: Origin(device: "phone", connection: "c9")) == nil)
  }

  @Test("§7.6 devices are told apart by their bytes, as the tables do")
  func similarDevices() throws {
    var call = Call.sample(.connected)
    call.acceptedDevice = "caf\u{E9}"
    #expect(try accept(call, from: Origin(device: "caf\u{E9}")) == nil)
    #expect(throws: CallError.alreadyAccepted) {
      try accept(call, from: Origin(device: "cafe\u{301}"))
    }
  }

  @Test("§4 from another device: CALL_ALREADY_ACCEPTED", arguments: answered)
  func acceptingElsewhere(status: CallStatus) {
    let error = refusal { () throws(CallError) in
      try accept(.sample(status), from: Origin(device: "tablet"))
    }
    #expect(error == .alreadyAccepted)
    var nameless = Call.sample(status)
    nameless.acceptedDevice = nil
    let second = refusal { () throws(CallError) in
      try accept(nameless, from: Origin(device: "tablet"))
    }
    #expect(second == .alreadyAccepted)
  }

  @Test("R2.4 an accept of a missed call is CALL_TIMEOUT, of one that is over ALREADY_ENDED")
  func acceptingTooLate() {
    for status in terminal {
      let error = refusal { () throws(CallError) in try accept(.sample(status)) }
      #expect(error == (status == .missed ? .callTimeout : .alreadyEnded))
    }
  }

  @Test("R2.3 R11.3 a rejection ends it, with its reason", arguments: RejectReason.allCases)
  func rejecting(reason: RejectReason) throws {
    for status in unanswered {
      let change = try #require(try reject(.sample(status), reason))
      #expect(change.call.status == .rejected)
      #expect(change.call.endReason?.rawValue == reason.rawValue)
      #expect(change.call.endedAt == now)
      #expect(change.call.deadlineAt == nil)
      #expect(change.call.durationSeconds == 0)
      let id = change.call.id
      #expect(
        change.events == [
          OutgoingEvent(to: alice, .rejected(callId: id, by: bob, reason: reason.endReason)),
          OutgoingEvent(
            to: bob, .answeredElsewhere(callId: id, outcome: .rejected), sparing: phone),
        ])
    }
  }

  @Test("§7.1 a reject after an accept is CALL_ALREADY_ACCEPTED", arguments: answered)
  func rejectingAccepted(status: CallStatus) {
    #expect(
      refusal { () throws(CallError) in try reject(.sample(status)) } == .alreadyAccepted)
  }

  @Test("§4 a reject of a call that is over changes nothing", arguments: terminal)
  func rejectingOver(status: CallStatus) throws {
    #expect(try reject(.sample(status)) == nil)
  }

  @Test("R9.2 only the callee answers", arguments: CallStatus.allCases)
  func onlyTheCallee(status: CallStatus) {
    for user in [alice, carol] {
      #expect(
        isUnauthorized(refusal { () throws(CallError) in try accept(.sample(status), by: user) }))
      #expect(
        isUnauthorized(refusal { () throws(CallError) in try reject(.sample(status), by: user) }))
    }
  }

  @Test("§5 ringing once, and only from initiating")
  func ringing() throws {
    let change = try #require(Call.sample(.initiating).ringing())
    #expect(change.call.status == .ringing)
    #expect(change.events == [OutgoingEvent(to: alice, .ringing(callId: change.call.id))])
    for status in CallStatus.allCases where status != .initiating {
      #expect(Call.sample(status).ringing() == nil)
    }
  }
}
