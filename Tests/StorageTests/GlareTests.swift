// Two users who call each other (contract §11.3).

import Calls
import MySQL
import System
import TestServers
import Testing

@testable import Storage

@Suite(.needsServer, .database) struct GlareTests {
  private let stores: Stores

  init() throws { stores = try Stores() }

  @Test("contract 11.3 the call that rings from the callee is named, and no other")
  func named() throws {
    let users = try stores.users("ann", "bea", "cid")
    let call = try stores.ring(users[0], users[1])
    func busy(_ caller: Int, _ callee: Int) -> CallError? {
      refusal { _ = try stores.ring(users[caller], users[callee]) }
    }
    let incoming = CallError.userBusy(
      party: .caller, activeCallId: call.id, incomingCallId: call.id)
    let other = CallError.userBusy(party: .caller, activeCallId: call.id)
    #expect(busy(1, 0) == incoming)
    #expect(busy(0, 1) == other)
    #expect(busy(1, 2) == other)
    try stores.calls.markRinging(call.id)
    #expect(busy(1, 0) == incoming)
    _ = try stores.calls.accept(call.id, by: users[1], from: Origin())
    #expect(busy(1, 0) == other)
  }

  @Test("contract 11.3 joining accepts: its events, its device, the parties of that call")
  func joined() throws {
    let (ann, bea) = try stores.pair()
    let call = try stores.ring(ann, bea, .audio)
    let joined = try stores.join(bea, ann, device: "phone")
    #expect(joined.isJoined && !joined.isReplay)
    #expect(joined.details.call == (try stores.find(call)))
    #expect(joined.details.call.status == .connecting)
    #expect(joined.details.call.acceptedDevice == "phone")
    #expect((joined.details.caller.id, joined.details.callee.id) == (ann, bea))
    #expect(joined.details.caller.name == "caller")
    #expect(try stores.eventTypes(ann) == ["call_accepted"])
    let elsewhere = try #require(try stores.events(bea).last)
    #expect(elsewhere.type == "call_answered_elsewhere")
    #expect(elsewhere.originDevice == "phone")
    try Consistency.check(stores.connection)
  }

  @Test("contract 11.3 without such a call a request that would join makes one")
  func nothingToJoin() throws {
    let users = try stores.users("ann", "bea", "cid")
    let made = try stores.join(users[0], users[1])
    #expect(!made.isJoined && !made.isReplay)
    #expect(made.details.call.status == .initiating)
    let call = made.details.call
    let busy = CallError.userBusy(party: .caller, activeCallId: call.id)
    #expect(refusal { _ = try stores.join(users[1], users[2]) } == busy)
    #expect(refusal { _ = try stores.join(users[0], users[1]) } == busy)
    // One whose time is up is over.
    try stores.age(call, seconds: 61)
    let next = try stores.join(users[1], users[0])
    #expect(!next.isJoined)
    #expect(next.details.call.callerId == users[1])
    #expect(try stores.find(call).status == .missed)
    try Consistency.check(stores.connection)
  }

  @Test("contract 11.3 a join under a key may be repeated by its device while the call lasts")
  func repeated() throws {
    let (ann, bea) = try stores.pair()
    let call = try stores.ring(ann, bea)
    #expect(try !stores.join(bea, ann, key: "k", device: "phone").isReplay)
    for device in ["phone", nil] {
      let again = try stores.join(bea, ann, key: "k", device: device)
      #expect(again.isJoined && again.isReplay)
      #expect(again.details.call.id == call.id)
    }
    let busy = CallError.userBusy(party: .caller, activeCallId: call.id)
    #expect(refusal { _ = try stores.join(bea, ann, key: "k", device: "tablet") } == busy)
    #expect(refusal { _ = try stores.join(bea, ann, device: "phone") } == busy)
    #expect(try stores.eventTypes(ann) == ["call_accepted"])
    _ = try stores.calls.end(call.id, by: ann, reason: .hangup, from: Origin())
    let next = try stores.join(bea, ann, key: "k", device: "phone")
    #expect(!next.isJoined && !next.isReplay)
  }

  @Test("contract 11.3 both at once: one call, one caller, both in it", arguments: [true, false])
  func crossing(joins: Bool) throws {
    // New users, so that their lines are made at the same moment too, and the same ones again.
    let pairs = try stores.pairs(100)
    let rounds = try race(threads: 2, rounds: 300) { round, thread, stores in
      let pair = pairs[round / 3]
      let (me, peer) =
        thread == 0 ? (pair.caller, pair.callee) : (pair.callee, pair.caller)
      if round % 3 > 0, thread == 0, let active = try stores.calls.active(of: me) {
        _ = try stores.calls.end(active.call.id, by: me, reason: .hangup, from: Origin())
      }
      if joins { return try stores.join(me, peer, device: "d") }
      return try stores.calls.initiate(
        from: me, to: peer, type: .audio, idempotencyKey: nil)
    }
    for (round, outcomes) in rounds.enumerated() where round % 3 == 0 {
      let made = outcomes.compactMap(\.value)
      let winner = try #require(made.first { !$0.isJoined }).details.call
      #expect(made.filter { !$0.isJoined }.count == 1)
      if joins {
        #expect(made.map(\.details.call.id) == [winner.id, winner.id])
      } else {
        #expect(
          outcomes.compactMap(\.refusal) == [
            .userBusy(party: .caller, activeCallId: winner.id, incomingCallId: winner.id)
          ])
      }
    }
    try Consistency.check(stores.connection)
  }

  @Test("contract 11.3 joining at once with a cancellation: joined, or a call of one's own")
  func cancelled() throws {
    let pairs = try stores.pairs(40)
    let rounds = try race(threads: 2, rounds: 200) { round, thread, stores -> Initiation? in
      let (ann, bea) = pairs[round / 5]
      // The first round of a pair makes the call, the second cancels and joins it at once, and so on.
      switch (round % 5, thread) {
      case (0, 0), (2, 0): _ = try stores.ring(ann, bea)
      case (1, 0), (3, 0), (4, 0):
        guard let call = try stores.calls.active(of: ann)?.call, call.isCaller(ann) else { break }
        _ = try stores.calls.end(call.id, by: ann, reason: .hangup, from: Origin())
      case (1, 1): return try stores.join(bea, ann)
      default: break
      }
      return nil
    }
    for (round, outcomes) in rounds.enumerated() where round % 5 == 1 {
      for outcome in outcomes { _ = try outcome.get() }
      let initiation = try #require(outcomes.compactMap(\.value).compactMap { $0 }.first)
      let call = initiation.details.call
      #expect(initiation.isJoined == call.isCaller(pairs[round / 5].caller))
    }
    try Consistency.check(stores.connection)
  }

  @Test("contract 11.3 joining at once with another device's accept: one of them has the call")
  func acceptedElsewhere() throws {
    let pairs = try stores.pairs(60)
    let calls = try pairs.map { try stores.ring($0.caller, $0.callee) }
    let rounds = try race(threads: 2, rounds: pairs.count) { round, thread, stores in
      let (ann, bea) = pairs[round]
      if thread == 0 { return try stores.join(bea, ann, device: "phone").details.call }
      return try stores.calls.accept(calls[round].id, by: bea, from: Origin(device: "tablet"))
    }
    for (outcomes, call) in zip(rounds, calls) {
      #expect(outcomes.compactMap(\.value).map(\.id) == [call.id])
      let refused = try #require(outcomes.compactMap(\.refusal).first)
      #expect(
        refused == .alreadyAccepted
          || refused == .userBusy(party: .caller, activeCallId: call.id))
    }
    try Consistency.check(stores.connection)
  }
}

extension Stores {
  fileprivate func join(
    _ caller: String, _ callee: String, key: String? = nil, device: String? = nil
  ) throws -> Initiation {
    try calls.initiate(
      from: caller, to: callee, type: .video, idempotencyKey: key,
      joiningAs: Origin(device: device))
  }
}
