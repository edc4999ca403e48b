// What one pass of the sweeper ends (R1.4, contract §5, §7.1, design §3).

import Calls
import JSON
import MySQL
import System
import TestServers
import Testing

@testable import Storage

@Suite(.needsServer, .database, .serialized) struct SweeperTests {
  private let stores: Stores

  init() throws { stores = try Stores() }

  private func sweep() throws -> SweepReport { try stores.sweeper().sweep() }

  @Test("R1.4 R11.5 unanswered for 60 s: missed, both are told, both are free")
  func unanswered() throws {
    let (caller, callee) = try stores.pair()
    let call = try stores.ring(caller, callee)
    try stores.calls.markRinging(call.id)
    try stores.age(call, seconds: 20)
    #expect(try sweep() == SweepReport())
    try stores.age(call, seconds: 40)
    #expect(try sweep().overdue == 1)
    let over = try stores.find(call)
    #expect(over.status == .missed)
    #expect(over.endReason == .timeout)
    #expect(over.durationSeconds == 0)
    #expect(try stores.eventTypes(caller) == ["call_ringing", "call_timeout"])
    #expect(try stores.eventTypes(callee) == ["call_invitation", "call_timeout"])
    #expect(try stores.historyOf(caller).map(\.status) == [.missed])
    #expect(try stores.historyOf(callee).map(\.status) == [.missed])
    #expect(try stores.line(caller) == nil)
    #expect(try stores.line(callee) == nil)
    #expect(try sweep().overdue == 0)
    try Consistency.check(stores.connection)
  }

  /// Calls that other tests of the suite have left.
  private func liveCalls() throws -> Int {
    try stores.count("SELECT COUNT(*) FROM calls WHERE deadline_at IS NOT NULL")
  }

  @Test("The load is measured once a second, before the pass ends anything")
  func load() throws {
    let sweeper = stores.sweeper()
    let now = Timestamp.now()
    _ = try sweeper.sweep(now: now)
    let before = try liveCalls()
    #expect(sweeper.load?.liveCalls == before)
    let (caller, callee) = try stores.pair()
    let call = try stores.ring(caller, callee)
    let (other, contact) = try stores.pair()
    _ = try stores.connect(other, contact)
    _ = try sweeper.sweep(now: now.adding(seconds: 1))
    #expect(sweeper.load == CallLoad(liveCalls: before + 2, lagMilliseconds: 0))
    try stores.age(call, seconds: 65)
    _ = try sweeper.sweep(now: now.adding(seconds: 1))
    #expect(try liveCalls() == before + 1)
    #expect(sweeper.load?.liveCalls == before + 2)
    _ = try sweeper.sweep(now: now.adding(seconds: 2))
    #expect(sweeper.load == CallLoad(liveCalls: before + 1, lagMilliseconds: 0))
  }

  @Test("The lag is how long ago the oldest deadline passed")
  func lag() throws {
    let (caller, callee) = try stores.pair()
    let before = try liveCalls()
    try stores.age(try stores.ring(caller, callee), seconds: 65)
    let sweeper = stores.sweeper()
    _ = try sweeper.sweep()
    let load = try #require(sweeper.load)
    #expect(load.liveCalls == before + 1)
    #expect(5_000..<60_000 ~= load.lagMilliseconds)
    try Consistency.check(stores.connection)
  }

  @Test("§7.1 disconnecting for 10 s: ended")
  func disconnecting() throws {
    let (caller, callee) = try stores.pair()
    let call = try stores.connect(caller, callee)
    _ = try stores.calls.update(call.id, to: .connected, by: caller, from: Origin())
    _ = try stores.calls.update(call.id, to: .disconnecting, by: callee, from: Origin())
    let due = try #require(try stores.find(call).deadlineAt)
    try stores.age(call, seconds: 3)
    #expect(try sweep().overdue == 0)
    try stores.age(call, seconds: 7)
    #expect(try sweep().overdue == 1)
    let over = try stores.find(call)
    #expect(over.status == .ended)
    #expect(over.endReason == .hangup)
    // Ended when it was due, however late the sweeper is.
    let endedAt = due.adding(seconds: -10)
    #expect(over.endedAt == endedAt)
    #expect(over.durationSeconds >= 10 && over.durationSeconds == over.duration(to: endedAt))
    #expect(try stores.historyOf(caller).map(\.status) == [.completed])
    #expect(try stores.eventTypes(caller).last == "call_ended")
    #expect(try stores.eventTypes(callee).last == "call_ended")
    try Consistency.check(stores.connection)
  }

  @Test("§5 past the maximum duration: ended for that reason, told by nobody")
  func maximumDuration() throws {
    let (caller, callee) = try stores.pair()
    let call = try stores.connect(caller, callee)
    try stores.age(call, seconds: 7100)
    #expect(try sweep().overdue == 0)
    try stores.age(call, seconds: 100)
    #expect(try sweep().overdue == 1)
    #expect(try stores.find(call).endReason == .maxDuration)
    for user in [caller, callee] {
      let event = try #require(try stores.events(user).last)
      #expect(
        try JSONParser.parse(event.data) == [
          "callId": .string(call.id), "endedBy": nil, "endReason": "max_duration",
          "durationSeconds": 7200,
        ])
    }
  }

  private func seen(_ user: String, secondsAgo: Int) throws {
    try stores.connection.execute(
      """
      UPDATE user_lines SET seen_at = UTC_TIMESTAMP(3) - INTERVAL ? SECOND WHERE user_id = ?
      """, [.int(secondsAgo), .text(user)])
  }

  @Test("§5 both seen and gone for 90 s: lost")
  func lost() throws {
    let (caller, callee) = try stores.pair()
    let call = try stores.connect(caller, callee)
    try stores.age(call, seconds: 200)
    #expect(try sweep().lost == 0, "nobody was ever seen")
    try seen(caller, secondsAgo: 100)
    #expect(try sweep().lost == 0, "the callee was never seen")
    try seen(callee, secondsAgo: 30)
    #expect(try sweep().lost == 0, "the callee is not gone for long enough")
    try seen(callee, secondsAgo: 300)
    #expect(try sweep().lost == 0, "the callee was not seen during this call")
    try seen(callee, secondsAgo: 91)
    #expect(try sweep().lost == 1)
    let over = try stores.find(call)
    let endedAt = try #require(over.endedAt)
    #expect((Timestamp.now().milliseconds - endedAt.milliseconds) / 1000 >= 91)
    // And as long as it has taken up to here.
    #expect(
      (107...180).contains(over.durationSeconds), "200 s less 91 s of silence (contract §7.17)")
    #expect(over.durationSeconds == over.duration(to: endedAt))
    for user in [caller, callee] {
      #expect(try stores.historyOf(user).map(\.durationSeconds) == [over.durationSeconds])
      let event = try JSONParser.parse(try #require(stores.events(user).last).data)
      #expect(event["durationSeconds"] == .int(Int64(over.durationSeconds)))
    }
    #expect(try stores.find(call).endReason == .connectionLost)
    #expect(try stores.find(call).status == .ended)
    #expect(try stores.historyOf(callee).map(\.status) == [.completed])
    #expect(try stores.line(callee) == nil)
    try Consistency.check(stores.connection)
  }

  @Test("§7.17 lost before anybody was seen after the answer: no time was talked")
  func lostAtOnce() throws {
    let (caller, callee) = try stores.pair()
    let call = try stores.connect(caller, callee)
    try stores.age(call, seconds: 200)
    try stores.connection.execute(
      "UPDATE calls SET accepted_at = accepted_at + INTERVAL 50 SECOND WHERE id = ?",
      [.text(call.id)])
    try seen(caller, secondsAgo: 170)
    try seen(callee, secondsAgo: 180)
    #expect(try sweep().lost == 1)
    let over = try stores.find(call)
    #expect(over.durationSeconds == 0)
    #expect(over.endedAt == over.acceptedAt)
  }

  @Test("§5 a sweeper that comes late makes no call longer than the maximum")
  func lateSweeper() throws {
    let (caller, callee) = try stores.pair()
    let call = try stores.connect(caller, callee)
    try stores.age(call, seconds: 7200 + 3600)
    #expect(try sweep().overdue == 1)
    let over = try stores.find(call)
    #expect(over.durationSeconds == 7200)
    #expect(over.endedAt == over.acceptedAt?.adding(seconds: 7200))
    let other = try stores.connect(caller, callee)
    _ = try stores.calls.update(other.id, to: .disconnecting, by: caller, from: Origin())
    try stores.age(other, seconds: 3600)
    #expect(try sweep().overdue == 1)
    #expect((9...100).contains(try stores.find(other).durationSeconds))
  }

  @Test("§5 an unanswered call is not lost, it times out")
  func lostWhileRinging() throws {
    let (caller, callee) = try stores.pair()
    let call = try stores.ring(caller, callee)
    try stores.connection.execute(
      "UPDATE calls SET created_at = created_at - INTERVAL 200 SECOND WHERE id = ?",
      [.text(call.id)])
    for user in [caller, callee] { try seen(user, secondsAgo: 100) }
    #expect(try sweep().lost == 0)
    _ = try stores.calls.end(call.id, by: caller, reason: .hangup, from: Origin())
  }

  @Test("R1.4 several hundred are due at once: all of them, within a few passes")
  func manyDue() throws {
    let calls = try stores.pairs(450).map { try stores.ring($0.caller, $0.callee) }
    try stores.connection.run(
      """
      UPDATE calls SET created_at = created_at - INTERVAL 61 SECOND,
        expires_at = expires_at - INTERVAL 61 SECOND, deadline_at = deadline_at - INTERVAL 61 SECOND
      WHERE deadline_at IS NOT NULL
      """)
    let sweeper = stores.sweeper()
    let reports = try (0..<3).map { _ in try sweeper.sweep() }
    #expect(reports.reduce(0) { $0 + $1.overdue } == 450)
    #expect(try sweeper.sweep().overdue == 0)
    #expect(try calls.allSatisfy { try stores.find($0).status == .missed })
    try Consistency.check(stores.connection)
  }

  @Test("R1.4 a line that somebody holds is passed over, and taken when it is free")
  func heldLock() throws {
    let pairs = try stores.pairs(3)
    for pair in pairs { try stores.age(try stores.ring(pair.caller, pair.callee), seconds: 61) }
    let holder = try TestDatabase.current.connect()
    try holder.run("START TRANSACTION")
    _ = try holder.query(
      "SELECT * FROM user_lines WHERE user_id = ? FOR UPDATE", [.text(pairs[1].callee)])
    var ended = 0
    let inTime = try isQuick(withinMilliseconds: 1000) {
      let report = try sweep()
      ended += report.overdue
      #expect(report.skipped == 1)
    }
    #expect(inTime)
    #expect(ended == 2)
    #expect(try stores.line(pairs[1].caller) != nil)
    try holder.run("ROLLBACK")
    #expect(try sweep().overdue == 1)
    try Consistency.check(stores.connection)
  }

  @Test("R1.4 neither a call that somebody holds nor one that is being deleted is waited for")
  func heldCall() throws {
    let pairs = try stores.pairs(3)
    let calls = try pairs.map { try stores.ring($0.caller, $0.callee) }
    for call in calls { try stores.age(call, seconds: 61) }
    let holder = try TestDatabase.current.connect()
    try holder.run("START TRANSACTION")
    _ = try holder.query("SELECT id FROM calls WHERE id = ? FOR UPDATE", [.text(calls[0].id)])
    try holder.execute("DELETE FROM calls WHERE id = ?", [.text(calls[1].id)])
    var ended = 0
    let inTime = try isQuick(withinMilliseconds: 2000) {
      let report = try sweep()
      ended += report.overdue
      #expect(report.skipped == 2)
    }
    #expect(inTime)
    #expect(ended == 1)
    #expect(try stores.find(calls[2]).status == .missed)
    try holder.run("COMMIT")
    #expect(try sweep().overdue == 1)
    #expect(try stores.find(calls[0]).status == .missed)
    try stores.connection.execute(
      "UPDATE user_lines SET call_id = NULL WHERE call_id = ?", [.text(calls[1].id)])
  }

  @Test("R1.4 a call that cannot be ended does not hold up the others")
  func impossibleCall() throws {
    let pairs = try stores.pairs(45)
    let calls = try pairs.map { try stores.ring($0.caller, $0.callee) }
    for call in calls { try stores.age(call, seconds: 61) }
    // Its event's number is taken.
    let bad = calls[7]
    try stores.connection.execute(
      "UPDATE user_lines SET last_event_id = 0 WHERE user_id = ?", [.text(bad.calleeId)])
    #expect(throws: MySQLError.self) { try sweep() }
    for call in calls where call.id != bad.id {
      #expect(try stores.find(call).status == .missed)
    }
    #expect(try stores.find(bad).status == .initiating)
    try stores.connection.execute(
      "UPDATE user_lines SET last_event_id = 1 WHERE user_id = ?", [.text(bad.calleeId)])
    #expect(try sweep().overdue == 1)
    try Consistency.check(stores.connection)
  }
}
