// Who may call whom, and what an initiated call is (R1, R2.5, contract §4).

import Calls
import JSON
import MySQL
import System
import TestServers
import Testing

@testable import Storage

@Suite(.needsServer, .database) struct InitiationTests {
  private let stores: Stores

  init() throws { stores = try Stores() }

  private func refusal(_ caller: String, _ callee: String) -> CallError? {
    StorageTests.refusal { _ = try stores.ring(caller, callee) }
  }

  @Test("R1.1 the callee must exist, and so must the caller")
  func unknownUsers() throws {
    let (caller, callee) = try stores.pair()
    #expect(refusal(caller, "nobody") == .notFound(.user))
    #expect(refusal("nobody", callee) == .notFound(.user))
    #expect(refusal(caller.uppercased(), callee) == .notFound(.user))
    #expect(refusal(caller, callee.uppercased()) == .notFound(.user))
    #expect(refusal(caller, callee + "x") == .notFound(.user))
    #expect(
      try stores.count("SELECT COUNT(*) FROM calls WHERE caller_id = ?", [.text(caller)]) == 0)
  }

  @Test("R1.1 the callee must be an accepted contact of the caller")
  func contacts() throws {
    let (caller, callee) = try stores.pair()
    for status in ContactStatus.allCases where status != .accepted {
      try stores.people.setContact(of: caller, to: callee, status)
      #expect(refusal(caller, callee) == .notContacts, "\(status)")
    }
    try stores.connection.execute(
      "DELETE FROM contacts WHERE user_id = ? AND contact_user_id = ?",
      [.text(caller), .text(callee)])
    #expect(refusal(caller, callee) == .notContacts)
    // The other direction is enough for the other one.
    #expect(refusal(callee, caller) == nil)
  }

  @Test("R1.1 neither may have blocked the other")
  func blocked() throws {
    let (caller, callee) = try stores.pair()
    try stores.people.setContact(of: callee, to: caller, .blocked)
    #expect(refusal(caller, callee) == .notContacts)
    #expect(refusal(callee, caller) == .notContacts)
    for status in [ContactStatus.pending, .rejected] {
      try stores.people.setContact(of: callee, to: caller, status)
      let call = try stores.ring(caller, callee)
      _ = try stores.calls.end(call.id, by: caller, reason: .hangup, from: Origin())
    }
  }

  @Test("R1.2 a call of its own id and channel, initiating, for exactly the timeout")
  func made() throws {
    let stores = try Stores(ringSeconds: 37)
    let (caller, callee) = try stores.pair()
    let made = try stores.calls.initiate(
      from: caller, to: callee, type: .audio, idempotencyKey: nil)
    let call = made.details.call
    #expect(!made.isReplay)
    #expect(CallID.isWellFormed(call.id))
    #expect(call.status == .initiating)
    #expect(call.type == .audio)
    #expect(call.expiresAt.milliseconds - call.createdAt.milliseconds == 37_000)
    #expect(try stores.find(call) == call)
    #expect(made.details.caller == Party(id: caller, name: "caller", avatar: "/caller.png"))
    #expect(made.details.callee == Party(id: callee, name: "callee", avatar: "/callee.png"))
    #expect(try stores.line(caller) == call.id)
    #expect(try stores.line(callee) == call.id)
    #expect(try stores.calls.active(of: caller)?.call == call)
    #expect(try stores.calls.find(call.id) == call)
  }

  @Test("R1.3 R2.1 R11.1 the callee is invited, once, with the caller's name")
  func invitation() throws {
    let (caller, callee) = try stores.pair()
    try stores.people.add(
      Person(id: caller, username: "c", fullName: "Zoë \"Z\" 😀", avatar: nil))
    let call = try stores.ring(caller, callee)
    let events = try stores.events(callee)
    #expect(events.map(\.type) == ["call_invitation"])
    #expect(events.map(\.eventId) == [1])
    #expect(
      try JSONParser.parse(events[0].data) == [
        "callId": .string(call.id), "channelId": .string(call.channelId),
        "callerId": .string(caller), "callerName": "Zoë \"Z\" 😀", "callerAvatar": nil,
        "callType": "video", "expiresAt": .string(call.expiresAt.iso8601),
      ])
    #expect(try stores.events(caller).isEmpty)
  }

  @Test("R1.5 a caller who is in a call is busy, with that call, and nothing is recorded")
  func busyCaller() throws {
    let users = try stores.users("one", "two", "three")
    let call = try stores.ring(users[0], users[1])
    for user in [users[0], users[1]] {
      #expect(refusal(user, users[2]) == .userBusy(party: .caller, activeCallId: call.id))
      #expect(try stores.historyOf(user).isEmpty)
    }
    #expect(refusal(users[0], users[1]) == .userBusy(party: .caller, activeCallId: call.id))
    #expect(try stores.events(users[2]).isEmpty)
    #expect(try stores.find(call).status == .initiating)
  }

  @Test("R2.5 a busy callee: recorded as rejected and missed, and the callee is not disturbed")
  func busyCallee() throws {
    let users = try stores.users("one", "two", "three")
    let call = try stores.connect(users[0], users[1])
    let before = try stores.events(users[1]).count
    #expect(refusal(users[2], users[1]) == .userBusy(party: .callee, activeCallId: nil))
    #expect(try stores.events(users[1]).count == before)
    #expect(try stores.events(users[2]).isEmpty)
    let callers = try stores.historyOf(users[2])
    let callees = try stores.historyOf(users[1])
    #expect(callers.map(\.status) == [.rejected])
    #expect(callers.map(\.direction) == [.outgoing])
    #expect(callers.map(\.endReason) == [.busy])
    #expect(callees.map(\.status) == [.missed])
    #expect(callees.map(\.direction) == [.incoming])
    #expect(callees.map(\.remoteUserId) == [users[2]])
    let recorded = try #require(try stores.calls.find(callers[0].callId))
    #expect(recorded.status == .rejected)
    #expect(recorded.endReason == .busy)
    #expect(recorded.endedAt != nil)
    #expect(try stores.line(users[2]) == nil)
    #expect(try stores.line(users[1]) == call.id)
    // Free again, they can be called.
    _ = try stores.calls.end(call.id, by: users[0], reason: .hangup, from: Origin())
    #expect(refusal(users[2], users[1]) == nil)
    try Consistency.check(stores.connection)
  }

  @Test("R1.1 the widest ids and names that there can be")
  func wideNames() throws {
    let wide = (0..<2).map { "\($0)" + String(repeating: "😀", count: 63) }
    for id in wide {
      try stores.people.add(
        Person(
          id: id, username: "u", fullName: String(repeating: "語", count: 255),
          avatar: "https://" + String(repeating: "x", count: 2040)))
    }
    try stores.people.setContact(of: wide[0], to: wide[1], .accepted)
    let made = try stores.calls.initiate(
      from: wide[0], to: wide[1], type: .video, idempotencyKey: nil)
    #expect(made.details.caller.avatar?.utf8.count == 2048)
    #expect(made.details.callee.name?.count == 255)
    #expect(made.details.callee.avatar?.utf8.count == 2048)
    #expect(try stores.calls.details(made.details.call.id, for: wide[1]).caller.name?.count == 255)
    #expect(try stores.events(wide[1]).count == 1)
  }

  @Test("R1.1 ids that differ in how an accent is written are different users")
  func composedIds() throws {
    let suffix = Randomness.system.hexadecimal(bytes: 4)
    let composed = "é\(suffix)"
    let decomposed = "e\u{301}\(suffix)"
    for id in [composed, decomposed] {
      try stores.people.add(Person(id: id, username: "u", fullName: nil, avatar: nil))
    }
    try stores.people.setContact(of: composed, to: decomposed, .accepted)
    let call = try stores.ring(composed, decomposed)
    let found = try stores.find(call)
    #expect(Array(found.callerId.utf8) == Array(composed.utf8))
    #expect(Array(found.calleeId.utf8) == Array(decomposed.utf8))
    #expect(
      isUnauthorized(
        StorageTests.refusal { _ = try stores.calls.accept(call.id, by: composed, from: Origin()) })
    )
    _ = try stores.calls.accept(call.id, by: decomposed, from: Origin())
    _ = try stores.calls.end(call.id, by: composed, reason: .hangup, from: Origin())
    #expect(try stores.line(composed) == nil)
    #expect(try stores.line(decomposed) == nil)
    try Consistency.check(stores.connection)
  }
}
