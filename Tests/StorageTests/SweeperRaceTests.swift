// The sweeper against people, and against other sweepers (R1.4, design §2).

import Calls
import MySQL
import System
import TestServers
import Testing

@testable import Storage

@Suite(.needsServer, .database, .serialized) struct SweeperRaceTests {
  private let stores: Stores

  init() throws { stores = try Stores() }

  @Test("R1.4 R2.4 accept against the sweeper: accepted before the deadline or missed, 200 times")
  func acceptAgainstSweeper() throws {
    let calls = try stores.pairs(200).map { try stores.ring($0.caller, $0.callee) }
    let rounds = try race(threads: 3, rounds: calls.count) { round, thread, stores in
      let call = calls[round]
      switch thread {
      case 0:
        // The deadline passes while the others are at it.
        try stores.connection.execute(
          """
          UPDATE calls SET created_at = UTC_TIMESTAMP(3) - INTERVAL 60 SECOND,
            expires_at = UTC_TIMESTAMP(3), deadline_at = UTC_TIMESTAMP(3)
          WHERE id = ? AND status IN ('initiating', 'ringing')
          """, [.text(call.id)])
        return CallStatus.initiating
      case 1:
        return try stores.calls.accept(call.id, by: call.calleeId, from: Origin()).status
      default:
        _ = try stores.sweeper().sweep()
        return .initiating
      }
    }
    _ = try stores.sweeper().sweep()
    var missed = 0
    for (call, outcomes) in zip(calls, rounds) {
      let status = try stores.find(call).status
      if outcomes[1].value != nil {
        #expect(status == .connecting)
        #expect(try stores.eventTypes(call.callerId) == ["call_accepted"])
      } else {
        missed += 1
        #expect(outcomes[1].refusal == .callTimeout)
        #expect(status == .missed)
        #expect(try stores.eventTypes(call.callerId) == ["call_timeout"])
        #expect(try stores.eventTypes(call.calleeId) == ["call_invitation", "call_timeout"])
      }
      #expect(outcomes.allSatisfy { $0.value != nil || $0.refusal != nil })
      _ = try stores.calls.end(call.id, by: call.callerId, reason: .hangup, from: Origin())
    }
    #expect(missed > 0)
    try Consistency.check(stores.connection)
  }

  @Test("R1.4 four sweepers at once: every call ends once")
  func manySweepers() throws {
    let pairs = try stores.pairs(300)
    for pair in pairs {
      try stores.age(try stores.ring(pair.caller, pair.callee), seconds: 61)
    }
    let reports = try race(threads: 4, rounds: 3) { _, _, stores in
      try stores.sweeper().sweep()
    }.flatMap { $0 }.map { try $0.get() }
    var ended = reports.reduce(0) { $0 + $1.overdue }
    while ended < 300 {
      let report = try stores.sweeper().sweep()
      try #require(report.overdue > 0)
      ended += report.overdue
    }
    #expect(ended == 300)
    for pair in pairs {
      #expect(try stores.eventTypes(pair.caller) == ["call_timeout"])
    }
    try Consistency.check(stores.connection)
  }

  @Test("R1.4 people who call, answer and hang up while sweepers run: nothing is lost or doubled")
  func busyHour() throws {
    let users = try stores.users("a", "b", "c", "d", "e", "f", "g", "h")
    let outcomes = try race(threads: 6) { _, thread, stores -> Int in
      var numbers = SystemRandomNumberGenerator()
      if thread >= 4 {
        for _ in 0..<60 { _ = try stores.sweeper().sweep() }
        return 0
      }
      var made = 0
      for _ in 0..<60 {
        let caller = users.randomElement(using: &numbers)!
        let callee = users.filter { $0 != caller }.randomElement(using: &numbers)!
        do {
          let call = try stores.ring(caller, callee, .audio)
          made += 1
          switch Int.random(in: 0..<5, using: &numbers) {
          case 0: try stores.age(call, seconds: 61)
          case 1: _ = try stores.calls.end(call.id, by: caller, reason: .hangup, from: Origin())
          case 2:
            _ = try stores.calls.reject(call.id, by: callee, reason: .declined, from: Origin())
          default:
            try stores.calls.markRinging(call.id)
            let accepted = try stores.calls.accept(call.id, by: callee, from: Origin())
            if Bool.random(using: &numbers) { try stores.age(accepted, seconds: 7201) }
            _ = try stores.calls.end(call.id, by: callee, reason: .hangup, from: Origin())
          }
        } catch CallError.userBusy {} catch CallError.callTimeout {}
      }
      return made
    }[0]
    #expect(try outcomes.reduce(0) { $0 + (try $1.get()) } > 20)
    while try stores.sweeper().sweep().overdue > 0 {}
    for user in users { #expect(try stores.line(user) == nil) }
    try Consistency.check(stores.connection)
  }
}
