// Do not disturb (contract §11.2).

import Calls
import MySQL
import System
import TestServers
import Testing

@testable import Storage

@Suite(.needsServer, .database) struct AvailabilityTests {
  private let stores: Stores

  init() throws { stores = try Stores() }

  private func disturb(_ caller: String, _ callee: String) -> CallError? {
    refusal { _ = try stores.ring(caller, callee) }
  }

  private func quiet(_ user: String, seconds: Int64? = nil) throws {
    let until = seconds.map { Timestamp.now().adding(seconds: $0) }
    try stores.availability.set(UserAvailability(doNotDisturb: true, until: until), of: user)
  }

  @Test("contract 11.2 what is set holds until it is changed or has ended")
  func state() throws {
    let user = try stores.users("one")[0]
    #expect(try stores.availability.availability(of: user) == UserAvailability())
    let until = Timestamp.now().adding(seconds: 3600)
    for state in [
      UserAvailability(doNotDisturb: true), UserAvailability(doNotDisturb: true, until: until),
      UserAvailability(), UserAvailability(doNotDisturb: true),
    ] {
      for _ in 0..<2 { try stores.availability.set(state, of: user) }
      #expect(try stores.availability.availability(of: user) == state)
    }
    try quiet(user, seconds: -1)
    #expect(try stores.availability.availability(of: user) == UserAvailability())
  }

  @Test("contract 11.2 recorded as unavailable: rejected and missed, in the badge, no event")
  func recorded() throws {
    let (caller, callee) = try stores.pair()
    // First calls, whose lines have to be made, and later ones.
    for number in 1...2 {
      try quiet(callee)
      #expect(disturb(caller, callee) == .userUnavailable)
      let entry = try #require(try stores.historyOf(callee).first)
      #expect((entry.status, entry.direction) == (.missed, .incoming))
      #expect(entry.endReason == .unavailable)
      let callers = try #require(try stores.historyOf(caller).first)
      #expect((callers.status, callers.endReason) == (.rejected, .unavailable))
      let call = try #require(try stores.calls.find(entry.callId))
      #expect((call.status, call.endReason) == (.rejected, .unavailable))
      #expect(!call.wasInvited)
      #expect(call.endedAt == call.createdAt)
      #expect(try stores.history.unseenMissed(of: callee) == number)
      #expect(try stores.events(callee).isEmpty && stores.events(caller).isEmpty)
      #expect(try stores.line(caller) == nil)
      let counts = try stores.statistics.statistics(of: callee, over: .day).statistics
      #expect(counts.count(HistoryStatus.missed) == number)
    }
    // A rejection of this reason by the callee is one for both.
    try stores.availability.set(UserAvailability(), of: callee)
    let call = try stores.ring(caller, callee)
    _ = try stores.calls.reject(call.id, by: callee, reason: .unavailable, from: Origin())
    #expect(try stores.historyOf(callee).first?.status == .rejected)
    #expect(try stores.history.unseenMissed(of: callee) == 2)
    try Consistency.check(stores.connection)
  }

  @Test("contract 11.2 the caller's own call comes first, then that, then the callee's call")
  func order() throws {
    let users = try stores.users("one", "two", "three", "four")
    let call = try stores.connect(users[1], users[2])
    try quiet(users[2])
    #expect(disturb(users[0], users[2]) == .userUnavailable)
    #expect(disturb(users[1], users[2]) == .userBusy(party: .caller, activeCallId: call.id))
    let other = try stores.ring(users[3], users[0])
    #expect(disturb(users[0], users[2]) == .userBusy(party: .caller, activeCallId: other.id))
    // A call of the caller's whose time is up is none.
    try stores.age(other, seconds: 61)
    #expect(disturb(users[0], users[2]) == .userUnavailable)
    #expect(try stores.find(other).status == .missed)
    #expect(refusal { _ = try stores.ring(users[0], "nobody") } == .notFound(.user))
    try stores.people.setContact(of: users[2], to: users[0], .blocked)
    #expect(disturb(users[0], users[2]) == .notContacts)
    try Consistency.check(stores.connection)
  }

  @Test("contract 11.2 whoever is not to be disturbed may call, and is called once it has ended")
  func ends() throws {
    let (caller, callee) = try stores.pair()
    try quiet(callee, seconds: 3600)
    let call = try stores.ring(callee, caller)
    _ = try stores.calls.end(call.id, by: callee, reason: .hangup, from: Origin())
    #expect(disturb(caller, callee) == .userUnavailable)
    try quiet(callee, seconds: -1)
    #expect(disturb(caller, callee) == nil)
    try Consistency.check(stores.connection)
  }

  @Test("contract 11.2 calls at once with it, and with what ends it: made or recorded, never both")
  func races() throws {
    let users = try stores.users("callee", "a", "b", "c")
    let rounds = try race(threads: 4, rounds: 60) { round, thread, stores in
      if thread == 0 {
        let state = UserAvailability(doNotDisturb: round % 2 == 0)
        try stores.availability.set(state, of: users[0])
        return
      }
      let call = try stores.ring(users[thread], users[0])
      _ = try stores.calls.end(call.id, by: users[thread], reason: .hangup, from: Origin())
    }
    for outcome in rounds.flatMap({ $0 }) {
      guard case .failure(let error) = outcome else { continue }
      switch error as? CallError {
      case .userUnavailable, .userBusy(.callee, _, _): break
      default: Issue.record(error)
      }
    }
    #expect(try stores.historyOf(users[0]).count == 100)
    #expect(try stores.page(of: users[0], HistoryQuery()).total == 180)
    #expect(try stores.history.unseenMissed(of: users[0]) == 180)
    try Consistency.check(stores.connection)
  }

  @Test("contract 11.2 a call that was made under a key is replayed, whatever has been set since")
  func replays() throws {
    let (caller, callee) = try stores.pair()
    let first = try stores.calls.initiate(
      from: caller, to: callee, type: .audio, idempotencyKey: "k")
    try quiet(callee)
    for _ in 0..<2 {
      let again = try stores.calls.initiate(
        from: caller, to: callee, type: .audio, idempotencyKey: "k")
      #expect(again.isReplay && again.details.call.id == first.details.call.id)
      _ = try stores.calls.end(
        first.details.call.id, by: caller, reason: .hangup, from: Origin())
    }
    // A refusal leaves the key free.
    let refused = refusal {
      _ = try stores.calls.initiate(
        from: caller, to: callee, type: .audio, idempotencyKey: "l")
    }
    #expect(refused == .userUnavailable)
    try stores.availability.set(UserAvailability(), of: callee)
    let made = try stores.calls.initiate(
      from: caller, to: callee, type: .audio, idempotencyKey: "l")
    #expect(!made.isReplay)
  }
}
