// A client's PATCH: every status × every target × every user (R8, contract §5, §7.1).

import System
import Testing

@testable import Calls

@Suite struct StatusUpdateTests {
  private let now = dawn.adding(seconds: 20)

  private func update(_ call: Call, _ target: CallStatus, _ user: String) throws(CallError)
    -> CallChange?
  {
    try call.updated(
      to: target, by: user, from: Origin(device: "phone"), at: now,
      maximumSeconds: maximumSeconds)
  }

  @Test("R8.1 R8.5 every status × target × participant", arguments: CallStatus.allCases)
  func matrix(status: CallStatus) {
    for target in CallStatus.allCases {
      for user in [alice, bob] {
        let call = Call.sample(status)
        let error = refusal { () throws(CallError) in try update(call, target, user) }
        let change = try? update(call, target, user)
        if target == status {
          #expect(error == nil)
          #expect(change == nil, "\(status) → \(target): nothing to do")
        } else if target == .connecting, user == alice {
          #expect(isUnauthorized(error), "\(status) → \(target) by the caller")
        } else if status.allowedNext.contains(target) {
          #expect(error == nil)
          #expect(change?.call.status == target)
        } else {
          #expect(error == .invalidTransition(from: status, to: target))
        }
      }
    }
  }

  @Test("R9.2 a stranger may set nothing", arguments: CallStatus.allCases)
  func stranger(status: CallStatus) {
    for target in CallStatus.allCases {
      let error = refusal { () throws(CallError) in
        try update(.sample(status), target, carol)
      }
      #expect(isUnauthorized(error))
    }
  }

  @Test("R8.2 connecting is an accept: device, time, deadline and events")
  func connectingIsAnAccept() throws {
    let change = try #require(try update(.sample(.ringing), .connecting, bob))
    let accepted = try Call.sample(.ringing).accepted(
      by: bob, from: Origin(device: "phone"), at: now, maximumSeconds: maximumSeconds)
    #expect(change == accepted)
  }

  @Test("R8.3 connected notes the time and tells the other", arguments: [alice, bob])
  func connected(user: String) throws {
    let call = Call.sample(.connecting)
    let change = try #require(try update(call, .connected, user))
    var expected = call
    (expected.status, expected.connectedAt) = (.connected, now)
    #expect(change.call == expected)
    #expect(
      change.events == [
        OutgoingEvent(
          to: user == alice ? bob : alice,
          .statusUpdated(callId: call.id, status: .connected, by: user))
      ])
  }

  @Test("R8.3 R8.4 disconnecting has 10 s", arguments: [CallStatus.connecting, .connected])
  func disconnecting(status: CallStatus) throws {
    let call = Call.sample(status)
    let change = try #require(try update(call, .disconnecting, alice))
    #expect(change.call.deadlineAt == now.adding(seconds: 10))
    #expect(change.call.connectedAt == call.connectedAt)
    #expect(change.call.endedAt == nil)
    #expect(change.events.map(\.recipient) == [bob])
  }
}

func isUnauthorized(_ error: CallError?) -> Bool {
  if case .unauthorizedAccess = error { true } else { false }
}
