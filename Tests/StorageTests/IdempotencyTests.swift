// The same request once more under its Idempotency-Key (contract §4).

import Calls
import MySQL
import System
import TestServers
import Testing

@testable import Storage

@Suite(.needsServer, .database) struct IdempotencyTests {
  private let stores: Stores

  init() throws { stores = try Stores() }

  private func initiate(
    _ stores: Stores, _ caller: String, _ callee: String, _ key: String, _ type: CallType = .video
  ) throws -> Initiation {
    try stores.calls.initiate(from: caller, to: callee, type: type, idempotencyKey: key)
  }

  @Test("§4 with the same key: the call that the first made, and no second invitation")
  func replay() throws {
    let (caller, callee) = try stores.pair()
    let first = try initiate(stores, caller, callee, "key")
    let second = try initiate(stores, caller, callee, "key")
    #expect(!first.isReplay)
    #expect(second.isReplay)
    #expect(second.details.call == first.details.call)
    #expect(second.details.callee == first.details.callee)
    #expect(try stores.eventTypes(callee) == ["call_invitation"])
    // Also when it is over, and another call is on.
    _ = try stores.calls.end(first.details.call.id, by: caller, reason: .hangup, from: Origin())
    _ = try stores.ring(caller, callee)
    #expect(try initiate(stores, caller, callee, "key").details.call.id == first.details.call.id)
  }

  @Test("§4 with another callee or type: IDEMPOTENCY_KEY_REUSED")
  func reused() throws {
    let users = try stores.users("one", "two", "three")
    _ = try initiate(stores, users[0], users[1], "key")
    #expect(
      refusal { _ = try initiate(stores, users[0], users[2], "key") } == .idempotencyKeyReused)
    #expect(
      refusal { _ = try initiate(stores, users[0], users[1], "key", .audio) }
        == .idempotencyKeyReused)
  }

  @Test("§4 keys are each caller's own, and told apart to the letter")
  func scope() throws {
    let users = try stores.users("one", "two", "three", "four")
    let first = try initiate(stores, users[0], users[1], "Key")
    let other = try initiate(stores, users[2], users[3], "Key")
    #expect(!other.isReplay)
    #expect(other.details.call.id != first.details.call.id)
    let call = first.details.call
    #expect(
      refusal { _ = try initiate(stores, users[0], users[1], "key") }
        == .userBusy(party: .caller, activeCallId: call.id))
  }

  @Test("§4 only a 201 is remembered")
  func refusalsAreForgotten() throws {
    let users = try stores.users("one", "two", "three")
    let call = try stores.ring(users[0], users[1])
    #expect(
      refusal { _ = try initiate(stores, users[2], users[1], "key") }
        == .userBusy(party: .callee, activeCallId: nil))
    _ = try stores.calls.end(call.id, by: users[0], reason: .hangup, from: Origin())
    #expect(try !initiate(stores, users[2], users[1], "key").isReplay)
  }

  private struct Made {
    let id: String
    let isReplay: Bool
  }

  @Test("§4 several at once with one key: one call, one invitation, the others replay")
  func simultaneous() throws {
    let pairs = try stores.pairs(40)
    let rounds = try race(threads: 4, rounds: pairs.count) { round, _, stores in
      let made = try stores.calls.initiate(
        from: pairs[round].caller, to: pairs[round].callee, type: .video, idempotencyKey: "same")
      return Made(id: made.details.call.id, isReplay: made.isReplay)
    }
    for (round, outcomes) in rounds.enumerated() {
      let made = try outcomes.map { try $0.get() }
      #expect(Set(made.map(\.id)).count == 1)
      #expect(made.filter { !$0.isReplay }.count == 1)
      #expect(try stores.eventTypes(pairs[round].callee) == ["call_invitation"])
    }
    try Consistency.check(stores.connection)
  }

  @Test("§4 at once with one key and two callees: one call, the other request is refused")
  func simultaneousOtherCallee() throws {
    let groups = try (0..<20).map { _ in try stores.users("one", "two", "three") }
    let rounds = try race(threads: 2, rounds: groups.count) { round, thread, stores in
      try stores.calls.initiate(
        from: groups[round][0], to: groups[round][1 + thread], type: .video, idempotencyKey: "same"
      ).details.call.id
    }
    for outcomes in rounds {
      #expect(outcomes.compactMap(\.value).count == 1)
      #expect(outcomes.compactMap(\.refusal) == [.idempotencyKeyReused])
    }
    try Consistency.check(stores.connection)
  }
}
