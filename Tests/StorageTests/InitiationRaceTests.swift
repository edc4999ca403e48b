// Many calls at once to and from the same people (R1.5, R2.5, design §2).

import Calls
import Glibc
import MySQL
import Synchronization
import System
import TestServers
import Testing

@testable import Storage

@Suite(.needsServer, .database) struct InitiationRaceTests {
  private let stores: Stores

  init() throws { stores = try Stores() }

  @Test("R2.5 20 at once to one callee: one call, one invitation, 19 recorded as busy")
  func manyToOne() throws {
    let users = try stores.users(
      "callee", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p",
      "q", "r", "s", "t")
    let callee = users[0]
    let outcomes = try race(threads: 20) { _, thread, stores in
      try stores.ring(users[thread + 1], callee)
    }[0]
    let made = outcomes.compactMap(\.value)
    #expect(made.count == 1)
    #expect(
      outcomes.compactMap(\.refusal)
        == Array(repeating: .userBusy(party: .callee, activeCallId: nil), count: 19))
    #expect(try stores.eventTypes(callee) == ["call_invitation"])
    #expect(
      try stores.count(
        "SELECT COUNT(*) FROM calls WHERE callee_id = ? AND deadline_at IS NOT NULL",
        [.text(callee)]) == 1)
    let history = try stores.historyOf(callee)
    #expect(history.count == 19)
    #expect(history.allSatisfy { $0.status == .missed && $0.endReason == .busy })
    #expect(try stores.line(callee) == made.first?.id)
    try Consistency.check(stores.connection)
  }

  @Test(
    "a call whose lines had to be waited for begins when they were free, and rings for its whole time"
  )
  func waitsForLines() throws {
    let (caller, callee) = try stores.pair()
    let previous = try stores.ring(caller, callee)
    _ = try stores.calls.end(previous.id, by: caller, reason: .hangup, from: Origin())
    let locked = Mutex(false)
    let outcomes = try race(threads: 2) { _, thread, stores -> Call? in
      if thread == 1 {
        while !locked.withLock({ $0 }) { usleep(1000) }
        return try stores.ring(caller, callee)
      }
      try stores.connection.run("START TRANSACTION")
      try stores.connection.execute(
        "SELECT call_id FROM user_lines WHERE user_id = ? FOR UPDATE", [.text(callee)])
      locked.withLock { $0 = true }
      try stores.connection.run("DO SLEEP(1)")
      try stores.connection.run(
        "UPDATE calls SET ended_at = UTC_TIMESTAMP(3) WHERE id = '\(previous.id)'")
      try stores.connection.run("COMMIT")
      return nil
    }[0]
    let call = try #require(outcomes[1].value ?? nil)
    let ended = try #require(try stores.find(previous).endedAt)
    #expect(call.createdAt >= ended)
    #expect(call.expiresAt == call.createdAt.adding(seconds: 60))
    let kept = try stores.find(call)
    #expect(kept.createdAt == call.createdAt && kept.expiresAt == call.expiresAt)
    #expect(kept.deadlineAt == call.expiresAt)
    let data = try stores.connection.map(
      "SELECT data FROM call_events WHERE call_id = ?", [.text(call.id)]
    ) { $0.text(0) }
    #expect(data.last?.hasSuffix(#""expiresAt":"\#(call.expiresAt.iso8601)"}"#) == true)
  }

  @Test("R1.5 two people who call each other at once: one call each time")
  func crossing() throws {
    // New people each time, so that their lines are made at the same moment too.
    let pairs = try stores.pairs(100)
    let rounds = try race(threads: 2, rounds: pairs.count) { round, thread, stores in
      let pair = pairs[round]
      return thread == 0
        ? try stores.ring(pair.caller, pair.callee) : try stores.ring(pair.callee, pair.caller)
    }
    for outcomes in rounds {
      let made = outcomes.compactMap(\.value)
      #expect(made.count == 1)
      guard case .userBusy? = outcomes.compactMap(\.refusal).first else {
        Issue.record("\(outcomes)")
        continue
      }
    }
    try Consistency.check(stores.connection)
  }

  @Test("R1.5 many people who call each other in all directions: nobody is in two calls")
  func everybodyCallsEverybody() throws {
    let users = try stores.users("a", "b", "c", "d", "e", "f")
    let rounds = try race(threads: 6, rounds: 60) { round, thread, stores in
      let callee = users[(thread + 1 + round % 5) % 6]
      let call = try stores.ring(users[thread], callee)
      return try stores.calls.end(call.id, by: users[thread], reason: .hangup, from: Origin())
    }
    for outcome in rounds.flatMap({ $0 }) {
      guard case .failure(let error) = outcome else { continue }
      guard case .userBusy? = error as? CallError else {
        Issue.record(error)
        continue
      }
    }
    #expect(rounds.flatMap { $0 }.contains { $0.value != nil })
    for user in users { #expect(try stores.line(user) == nil) }
    try Consistency.check(stores.connection)
  }
}
