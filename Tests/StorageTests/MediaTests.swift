// Agora's notices in the database (contract §9.2, §9.3): what they write, what they bring about, what the
// sweeper makes of it.

import Calls
import JSON
import MySQL
import System
import TestServers
import Testing

@testable import Storage

@Suite(.needsServer, .database, .serialized) struct MediaTests {
  private let stores: Stores
  private let caller: String
  private let callee: String

  init() throws {
    stores = try Stores()
    (caller, callee) = try stores.pair()
    // Calls of the tests before may be due by now, where they took long, and would be swept, too.
    try stores.connection.run("UPDATE agora_presence SET due_at = NULL")
  }

  private func sweep() throws -> SweepReport { try stores.sweeper().sweep() }

  private func rows(_ table: String) throws -> Int {
    try stores.count("SELECT COUNT(*) FROM \(table)")
  }

  @Test("§9.2 both join: connected, both are told once, by nobody")
  func connected() throws {
    let call = try stores.connect(caller, callee)
    try stores.joined(caller, call, 1)
    #expect(try stores.find(call).status == .connecting)
    try stores.joined(callee, call, 1)
    let after = try stores.find(call)
    #expect(after.status == .connected)
    #expect(after.connectedAt != nil)
    for user in [caller, callee] {
      let event = try #require(try stores.events(user).last)
      #expect(event.type == "call_status_updated")
      #expect(
        try JSONParser.parse(event.data) == [
          "callId": .string(call.id), "status": "connected", "updatedBy": nil,
        ])
    }
    #expect(try stores.dueAt(call) == nil)
    try stores.joined(callee, call, 2)
    _ = try stores.calls.update(call.id, to: .connected, by: caller, from: Origin())
    #expect(try stores.find(call) == after)
    #expect(try stores.eventTypes(caller) == ["call_accepted", "call_status_updated"])
    try Consistency.check(stores.connection)
  }

  @Test("§9.2 a client was first: nothing happens")
  func clientFirst() throws {
    let call = try stores.connect(caller, callee)
    _ = try stores.calls.update(call.id, to: .connected, by: caller, from: Origin())
    let before = try stores.find(call)
    for user in [caller, callee] { try stores.joined(user, call, 1) }
    #expect(try stores.find(call) == before)
    #expect(try stores.eventTypes(caller) == ["call_accepted"])
    #expect(try stores.media.presence(of: call.id)?.areBothJoined == true)
  }

  @Test("§9.2 both are there before the answer: connected a moment after it")
  func beforeTheAnswer() throws {
    let call = try stores.ring(caller, callee)
    for user in [caller, callee] { try stores.joined(user, call, 1) }
    #expect(try stores.find(call).status == .initiating)
    try stores.agePresence(of: call, seconds: 2)
    #expect(try sweep().media == 0)
    _ = try stores.calls.accept(call.id, by: callee, from: Origin())
    try stores.agePresence(of: call, seconds: 2)
    #expect(try sweep().media == 1)
    #expect(try stores.find(call).status == .connected)
    #expect(try stores.dueAt(call) == nil)
    try Consistency.check(stores.connection)
  }

  @Test("§9.1 §9.2 channels and uids that are none of a call's write nothing")
  func strangers() throws {
    let call = try stores.connect(caller, callee)
    let counts = (try rows("agora_presence"), try rows("agora_notices"))
    try stores.report(call, .joined(uid: 7, sequence: 1))
    var other = call
    for channel in [
      "test_webhook", call.channelId + " ", "", "Kanal-ä", String(repeating: "x", count: 500),
    ] {
      other.channelId = channel
      try stores.joined(caller, other, 1)
      try stores.report(other, .destroyed)
    }
    #expect(try rows("agora_presence") == counts.0)
    #expect(try rows("agora_notices") == counts.1)
    #expect(try stores.media.presence(of: call.id) == nil)
  }

  @Test("§9.2 a noticeId counts once, whatever it says the next time")
  func onceOnly() throws {
    let call = try stores.connect(caller, callee)
    let uid = stores.uid(caller, in: call)
    try stores.report(call, .joined(uid: uid, sequence: 1), noticeId: "1:1:107")
    let before = try stores.media.presence(of: call.id)
    for kind in [
      ChannelEvent.Kind.joined(uid: uid, sequence: 1), .left(uid: uid, sequence: 2, reason: 1),
      .destroyed, .joined(uid: stores.uid(callee, in: call), sequence: 1),
    ] {
      try stores.report(call, kind, noticeId: "1:1:107")
      #expect(try stores.media.presence(of: call.id) == before)
    }
    try stores.report(call, .left(uid: uid, sequence: 2, reason: 1), noticeId: "1:1:107 ")
    #expect(try stores.media.presence(of: call.id)?.caller?.isJoined == false)
  }

  @Test("§9.2 the highest clientSeq holds, up to the largest that there is")
  func sequences() throws {
    let call = try stores.connect(caller, callee)
    try stores.joined(caller, call, 5)
    try stores.left(caller, call, 4)
    try stores.left(caller, call, 5)
    #expect(try stores.media.presence(of: call.id)?.caller?.isJoined == true)
    try stores.left(caller, call, .max, reason: 999)
    try stores.joined(caller, call, .max - 1)
    let participant = try stores.media.presence(of: call.id)?.caller
    #expect(participant?.sequence == .max)
    #expect(participant?.isJoined == false)
    #expect(participant?.leaveReason == 999)
  }

  @Test("§9.2 neither is there for 20 s: over when the last left, both are told, both are free")
  func absence() throws {
    let call = try stores.connect(caller, callee)
    for user in [caller, callee] { try stores.joined(user, call, 1) }
    try stores.age(call, seconds: 60)
    try stores.left(caller, call, 2)
    #expect(try stores.dueAt(call) == nil)
    try stores.left(callee, call, 2, reason: 2)
    let leftAt = try #require(try stores.media.presence(of: call.id)?.callee?.since)
    try stores.agePresence(of: call, seconds: 5)
    #expect(try sweep().media == 0)
    try stores.agePresence(of: call, seconds: 15)
    #expect(try sweep().media == 1)
    let over = try stores.find(call)
    #expect(over.status == .ended)
    #expect(over.endReason == .connectionLost)
    #expect(over.endedAt == leftAt.adding(seconds: -20))
    // And as long as it has taken up to here.
    #expect((39...100).contains(over.durationSeconds))
    for user in [caller, callee] {
      #expect(try stores.eventTypes(user).last == "call_ended")
      #expect(try stores.historyOf(user).map(\.status) == [.completed])
      #expect(try stores.historyOf(user).map(\.durationSeconds) == [over.durationSeconds])
      #expect(try stores.line(user) == nil)
    }
    #expect(try stores.dueAt(call) == nil)
    #expect(try sweep().media == 0)
    try Consistency.check(stores.connection)
  }

  @Test("§9.2 who comes back in time keeps the call")
  func comeback() throws {
    let call = try stores.connect(caller, callee)
    try stores.age(call, seconds: 60)
    for user in [caller, callee] { try stores.joined(user, call, 1) }
    for user in [caller, callee] { try stores.left(user, call, 2, reason: 10) }
    try stores.agePresence(of: call, seconds: 19)
    try stores.joined(callee, call, 3)
    #expect(try stores.dueAt(call) == nil)
    try stores.agePresence(of: call, seconds: 3600)
    #expect(try sweep().media == 0)
    #expect(try stores.find(call).status == .connected)
    try stores.left(callee, call, 4)
    try stores.agePresence(of: call, seconds: 20)
    #expect(try sweep().media == 1)
    #expect(try stores.find(call).endReason == .hangup)
  }

  @Test("§9.2 the channel is gone and all have said goodbye: over with the notice itself")
  func destroyed() throws {
    let call = try stores.connect(caller, callee)
    for user in [caller, callee] { try stores.joined(user, call, 1) }
    for user in [caller, callee] { try stores.left(user, call, 2) }
    try stores.report(call, .destroyed)
    let over = try stores.find(call)
    #expect(over.status == .ended)
    #expect(over.endReason == .hangup)
    #expect(try stores.eventTypes(caller).last == "call_ended")
    #expect(try stores.dueAt(call) == nil)
    try Consistency.check(stores.connection)
  }

  @Test("§9.2 the channel's end comes first: the notices that follow it tell why")
  func destroyedFirst() throws {
    let call = try stores.connect(caller, callee)
    let start = Timestamp.now()
    for user in [caller, callee] {
      try stores.report(
        call, .joined(uid: stores.uid(user, in: call), sequence: 1), at: start)
    }
    try stores.report(call, .destroyed, at: start.adding(seconds: 1))
    #expect(try stores.find(call).status == .connected)
    try stores.left(caller, call, 2, reason: 2)
    #expect(try stores.find(call).status == .connected)
    try stores.left(callee, call, 2)
    #expect(try stores.find(call).endReason == .hangup)
    let (other, another) = try stores.pair()
    let unexplained = try stores.connect(other, another)
    try stores.age(unexplained, seconds: 60)
    try stores.report(
      unexplained, .joined(uid: stores.uid(other, in: unexplained), sequence: 1), at: start)
    // Now, however long the above has taken: no notice tells of what is to come.
    try stores.report(unexplained, .destroyed, at: Timestamp.now().adding(seconds: 60))
    try stores.agePresence(of: unexplained, seconds: 2)
    #expect(try sweep().media == 1)
    #expect(try stores.find(unexplained).endReason == .connectionLost)
    try Consistency.check(stores.connection)
  }

  @Test("§9.2 a call that is over stays as it is, whatever Agora reports of its channel")
  func over() throws {
    let call = try stores.connect(caller, callee)
    for user in [caller, callee] { try stores.joined(user, call, 1) }
    for user in [caller, callee] { try stores.left(user, call, 2) }
    _ = try stores.calls.end(call.id, by: caller, reason: .hangup, from: Origin())
    let before = try stores.find(call)
    let types = try stores.eventTypes(callee)
    try stores.report(call, .destroyed)
    try stores.agePresence(of: call, seconds: 3600)
    #expect(try sweep().media == 0)
    #expect(try stores.dueAt(call) == nil)
    #expect(try stores.find(call) == before)
    #expect(try stores.eventTypes(callee) == types)
    try Consistency.check(stores.connection)
  }

  @Test("§9.3 details and the live call say who is there")
  func details() throws {
    let call = try stores.connect(caller, callee)
    func media() throws -> [MediaState?] {
      let details = try stores.calls.details(call.id, for: caller)
      let active = try #require(try stores.calls.active(of: callee))
      #expect(active.callerMedia == details.callerMedia)
      #expect(active.calleeMedia == details.calleeMedia)
      return [details.callerMedia, details.calleeMedia]
    }
    #expect(try media() == [nil, nil])
    try stores.joined(callee, call, 1)
    #expect(try media() == [nil, .joined])
    try stores.joined(caller, call, 1)
    try stores.left(callee, call, 2)
    #expect(try media() == [.joined, .left])
  }

  @Test("§9.2 the rows of a call go with it, notices after a day")
  func retention() throws {
    let call = try stores.connect(caller, callee)
    try stores.joined(caller, call, 1)
    _ = try stores.calls.end(call.id, by: caller, reason: .hangup, from: Origin())
    try stores.connection.execute("DELETE FROM calls WHERE id = ?", [.text(call.id)])
    #expect(try stores.media.presence(of: call.id) == nil)
    try stores.connection.run("DELETE FROM agora_notices")
    try stores.connection.run(
      """
      INSERT INTO agora_notices VALUES ('old', UTC_TIMESTAMP(3) - INTERVAL 25 HOUR),
        ('young', UTC_TIMESTAMP(3) - INTERVAL 23 HOUR)
      """)
    let retention = Retention(
      stores.database, RetentionSettings(qualityDays: 0, auditDays: 0))
    _ = try retention.purge(batches: 1)
    #expect(
      try stores.connection.query("SELECT CAST(notice_id AS CHAR) FROM agora_notices").map {
        $0.text(0)
      } == ["young"])
  }

  @Test("§9.2 the sweeper finds due calls by their index")
  func index() throws {
    let plan = try QueryPlan(
      stores.connection,
      """
      SELECT call_id FROM agora_presence
      WHERE due_at <= UTC_TIMESTAMP(3) ORDER BY due_at LIMIT 200
      """)
    #expect(plan.steps.map(\.index) == ["agora_presence_due_at"])
    #expect(!plan.steps.contains { $0.extra.contains("filesort") })
  }
}
