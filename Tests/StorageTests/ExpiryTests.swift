// A call whose time is up is over, whether or not the sweeper has been there (R2.4, contract §7.1).

import Calls
import MySQL
import System
import TestServers
import Testing

@testable import Storage

@Suite(.needsServer, .database) struct ExpiryTests {
  private let stores: Stores

  init() throws { stores = try Stores() }

  private func overdue() throws -> Call {
    let (caller, callee) = try stores.pair()
    let call = try stores.ring(caller, callee)
    try stores.age(call, seconds: 61)
    return call
  }

  private func expectMissed(_ call: Call) throws {
    let over = try stores.find(call)
    #expect(over.status == .missed)
    #expect(over.endReason == .timeout)
    for user in [call.callerId, call.calleeId] {
      #expect(try stores.eventTypes(user).last == "call_timeout")
      #expect(try stores.historyOf(user).map(\.status) == [.missed])
      #expect(try stores.line(user) == nil)
    }
    try Consistency.check(stores.connection)
  }

  @Test("R2.4 a late accept is CALL_TIMEOUT and ends the call itself, events included")
  func lateAccept() throws {
    let call = try overdue()
    for _ in 0..<2 {
      #expect(
        refusal { _ = try stores.calls.accept(call.id, by: call.calleeId, from: Origin()) }
          == .callTimeout)
    }
    try expectMissed(call)
  }

  @Test("§4 whoever looks finds it missed and writes that down, but waits for nobody to do so")
  func lateLooks() throws {
    let seen = try overdue()
    #expect(try stores.calls.details(seen.id, for: seen.callerId).call.status == .missed)
    try expectMissed(seen)
    let held = try overdue()
    let holder = try TestDatabase.current.connect()
    try holder.run("START TRANSACTION")
    _ = try holder.query(
      "SELECT 1 FROM user_lines WHERE user_id = ? FOR UPDATE", [.text(held.calleeId)])
    let inTime = try isQuick(withinMilliseconds: 4000) {
      for user in [held.callerId, held.calleeId] {
        let call = try stores.calls.details(held.id, for: user).call
        #expect(call.status == .missed)
        #expect(call.endReason == .timeout)
        #expect(try stores.calls.active(of: user) == nil)
      }
    }
    #expect(inTime)
    #expect(try stores.find(held).status.isUnanswered)
    try holder.run("ROLLBACK")
    _ = try stores.calls.details(held.id, for: held.calleeId)
    try expectMissed(held)
  }

  @Test("§4 a late reject, end or PATCH finds it missed")
  func lateOthers() throws {
    let rejected = try overdue()
    #expect(
      try stores.calls.reject(
        rejected.id, by: rejected.calleeId, reason: .declined, from: Origin()
      ).status == .missed)
    try expectMissed(rejected)
    let ended = try overdue()
    #expect(
      try stores.calls.end(ended.id, by: ended.callerId, reason: .hangup, from: Origin()).status
        == .missed)
    try expectMissed(ended)
    let patched = try overdue()
    #expect(
      refusal {
        _ = try stores.calls.update(
          patched.id, to: .connected, by: patched.callerId, from: Origin())
      } == .invalidTransition(from: .missed, to: .connected))
    try expectMissed(patched)
    let rung = try overdue()
    try stores.calls.markRinging(rung.id)
    try expectMissed(rung)
  }

  @Test("§5 a hang-up after the maximum duration finds the call ended for that, and no longer")
  func lateHangup() throws {
    let (caller, callee) = try stores.pair()
    let call = try stores.connect(caller, callee)
    try stores.age(call, seconds: 7300)
    let over = try stores.calls.end(call.id, by: caller, reason: .hangup, from: Origin())
    #expect(over.status == .ended)
    #expect(over.endReason == .maxDuration)
    #expect(try stores.find(call).durationSeconds == 7200)
    for user in [caller, callee] {
      #expect(try stores.eventTypes(user).last == "call_ended")
      #expect(try stores.historyOf(user).map(\.endReason) == [.maxDuration])
      #expect(try stores.line(user) == nil)
    }
    try Consistency.check(stores.connection)
  }

  @Test("§4 an overdue call is nobody's active call")
  func active() throws {
    let call = try overdue()
    #expect(try stores.calls.active(of: call.callerId) == nil)
    let snapshot = try stores.outbox.snapshot(of: call.calleeId)
    #expect(snapshot.activeCall == nil)
    #expect(snapshot.invitation == nil)
    #expect(snapshot.lastEventId == 1)
  }

  @Test("R1.5 R2.5 nobody is busy with a call whose time is up")
  func initiating() throws {
    for role in ["caller", "callee"] {
      let users = try stores.users("one", "two", "three")
      let old = try stores.ring(users[0], users[1])
      try stores.age(old, seconds: 61)
      let new =
        role == "caller"
        ? try stores.ring(users[0], users[2]) : try stores.ring(users[2], users[0])
      #expect(try stores.find(old).status == .missed)
      #expect(try stores.line(users[0]) == new.id)
      #expect(try stores.line(users[1]) == nil)
      #expect(try stores.eventTypes(users[1]) == ["call_invitation", "call_timeout"])
    }
    try Consistency.check(stores.connection)
  }

  @Test("R1.5 both busy with overdue calls: both expire")
  func bothBusy() throws {
    let users = try stores.users("one", "two", "three", "four")
    let first = try stores.ring(users[0], users[1])
    let second = try stores.connect(users[2], users[3])
    try stores.age(first, seconds: 61)
    try stores.age(second, seconds: 7201)
    let call = try stores.ring(users[0], users[2])
    #expect(try stores.find(first).status == .missed)
    #expect(try stores.find(second).endReason == .maxDuration)
    #expect(try stores.line(users[2]) == call.id)
    try Consistency.check(stores.connection)
  }

  @Test("R1.4 a last-moment accept counts")
  func inTime() throws {
    let (caller, callee) = try stores.pair()
    let call = try stores.ring(caller, callee)
    try stores.age(call, seconds: 30)
    #expect(
      try stores.calls.accept(call.id, by: callee, from: Origin()).status == .connecting)
  }
}
