// Reading the outbox (design §3, contract §6.2, §6.4, §7.8).

import Calls
import MySQL
import Synchronization
import System
import TestServers
import Testing

@testable import Storage

@Suite(.needsServer, .database) struct OutboxTests {
  private let stores: Stores

  init() throws { stores = try Stores() }

  @Test("§7.8 a user of whom nothing is known has nothing")
  func stranger() throws {
    let snapshot = try stores.outbox.snapshot(of: "nobody")
    #expect(snapshot.lastEventId == 0)
    #expect(snapshot.oldestEventId == nil)
    #expect(snapshot.activeCall == nil)
    #expect(snapshot.invitation == nil)
    #expect(try stores.outbox.events(of: "nobody", after: 0, limit: 10).isEmpty)
  }

  @Test("§6.4 a snapshot tells the newest event, the live call and what still rings")
  func snapshot() throws {
    let (caller, callee) = try stores.pair()
    let call = try stores.ring(caller, callee)
    let rung = try stores.outbox.snapshot(of: callee)
    #expect(rung.lastEventId == 1)
    #expect(rung.oldestEventId == 1)
    #expect(rung.activeCall?.call == call)
    #expect(rung.activeCall?.caller.name == "caller")
    #expect(rung.invitation == (try stores.events(callee).first))
    #expect(rung.invitation?.callId == call.id)
    let calling = try stores.outbox.snapshot(of: caller)
    #expect(calling.lastEventId == 0)
    #expect(calling.activeCall?.call == call)
    #expect(calling.invitation == nil)
    try stores.calls.markRinging(call.id)
    #expect(try stores.outbox.snapshot(of: callee).invitation?.eventId == 1)
    _ = try stores.calls.accept(call.id, by: callee, from: Origin())
    let accepted = try stores.outbox.snapshot(of: callee)
    #expect(accepted.invitation == nil)
    #expect(accepted.activeCall?.call.status == .connecting)
    #expect(accepted.lastEventId == 2)
    _ = try stores.calls.end(call.id, by: callee, reason: .hangup, from: Origin())
    #expect(try stores.outbox.snapshot(of: callee).activeCall == nil)
    // The next call's invitation, not the first one's.
    let next = try stores.ring(caller, callee)
    #expect(try stores.outbox.snapshot(of: callee).invitation?.callId == next.id)
  }

  @Test("§6.4 snapshots of many are what each would have had alone")
  func snapshots() throws {
    let (caller, callee) = try stores.pair()
    let (other, another) = try stores.pair()
    let over = try stores.ring(other, another)
    _ = try stores.calls.end(over.id, by: another, reason: .hangup, from: Origin())
    let call = try stores.ring(caller, callee)
    // More than one statement's worth, some of them twice, and some whom nobody knows.
    let strangers = (0..<60).map { "nobody-\($0)" }
    let ids = [callee, other] + strangers + [caller, another, callee]
    let found = try stores.outbox.snapshots(of: ids)
    #expect(found.count == ids.count)
    for (id, snapshot) in zip(ids, found) {
      let alone = try stores.outbox.snapshot(of: id)
      #expect(snapshot.lastEventId == alone.lastEventId)
      #expect(snapshot.oldestEventId == alone.oldestEventId)
      #expect(snapshot.activeCall?.call == alone.activeCall?.call)
      #expect(snapshot.invitation == alone.invitation)
    }
    #expect(found[0].invitation?.callId == call.id)
    #expect(found[1].lastEventId == 1)
    #expect(try stores.outbox.snapshots(of: []).isEmpty)
  }

  @Test("§3 a snapshot waits for no call, however long its transaction holds the user's line")
  func snapshotOfALockedLine() throws {
    let (caller, callee) = try stores.pair()
    let call = try stores.ring(caller, callee)
    try stores.connection.run("START TRANSACTION")
    _ = try stores.connection.queryRow(
      "SELECT 1 FROM user_lines WHERE user_id = ? FOR UPDATE", [.text(callee)])
    let inTime = try isQuick(withinMilliseconds: 1000) {
      let snapshot = try stores.outbox.snapshots(of: [callee])[0]
      #expect(snapshot.lastEventId == 1)
      #expect(snapshot.activeCall?.call == call)
    }
    #expect(inTime)
    try stores.connection.run("ROLLBACK")
  }

  @Test("§3 a snapshot is of one moment, whatever commits meanwhile")
  func snapshotsWhileOthersWrite() throws {
    let (caller, callee) = try stores.pair()
    let isOver = Atomic(false)
    let outcomes = try race(threads: 2) { _, thread, stores in
      if thread == 0 {
        for _ in 0..<60 {
          let call = try stores.ring(caller, callee)
          _ = try stores.calls.end(call.id, by: caller, reason: .hangup, from: Origin())
        }
        isOver.store(true, ordering: .relaxed)
        return 0
      }
      // The invitation is the odd event, the end of the call the even one.
      var count = 0
      while !isOver.load(ordering: .relaxed) {
        let snapshot = try stores.outbox.snapshots(of: [callee, caller])[0]
        let isRinging = snapshot.lastEventId % 2 == 1
        guard (snapshot.activeCall != nil) == isRinging,
          snapshot.invitation?.eventId == (isRinging ? snapshot.lastEventId : nil)
        else { return -1 }
        count += 1
      }
      return count
    }[0]
    #expect(try outcomes[0].get() == 0)
    #expect(try outcomes[1].get() > 10)
  }

  @Test("§6.2 events come in order, after an id, so many at the most")
  func events() throws {
    let (caller, callee) = try stores.pair()
    for _ in 0..<10 {
      let call = try stores.ring(caller, callee)
      _ = try stores.calls.end(call.id, by: caller, reason: .hangup, from: Origin())
    }
    let all = try stores.events(callee)
    #expect(all.map(\.eventId) == Array(1...20))
    #expect(all.map(\.type) == (0..<20).map { $0 % 2 == 0 ? "call_invitation" : "call_ended" })
    #expect(try stores.outbox.events(of: callee, after: 5, limit: 3) == Array(all[5..<8]))
    #expect(try stores.outbox.events(of: callee, after: 19, limit: 3) == [all[19]])
    #expect(try stores.outbox.events(of: callee, after: 20, limit: 3) == [])
  }

  @Test("§7.6 an event tells whom it spares")
  func origin() throws {
    let (caller, callee) = try stores.pair()
    let call = try stores.ring(caller, callee)
    let origin = Origin(device: "Zoës phone", connection: "c-1")
    _ = try stores.calls.accept(call.id, by: callee, from: origin)
    let event = try #require(try stores.events(callee).last)
    #expect(event.type == "call_answered_elsewhere")
    #expect(event.originDevice == "Zoës phone")
    #expect(event.originConnection == "c-1")
    #expect(try stores.events(caller).last?.originDevice == nil)
  }

  @Test("§3 the poll finds who has had an event lately, with the newest id")
  func poll() throws {
    let (caller, callee) = try stores.pair()
    let (old, older) = try stores.pair()
    _ = try stores.connect(caller, callee)
    _ = try stores.connect(old, older)
    try stores.connection.execute(
      "UPDATE call_events SET created_at = created_at - INTERVAL 200 SECOND WHERE user_id IN (?, ?)",
      [.text(old), .text(older)])
    let found = try stores.outbox.usersWithEvents(sinceMilliseconds: 100_000)
    let users = Dictionary(uniqueKeysWithValues: found.map { ($0.userId, $0.lastEventId) })
    #expect(users[caller] == 1)
    #expect(users[callee] == 2)
    #expect(users[old] == nil)
    #expect(
      try stores.outbox.usersWithEvents(sinceMilliseconds: 600_000).contains { $0.userId == old })
  }

  @Test("§6.2 numbered per user without gaps, in the order of the commits, whoever writes at once")
  func numbering() throws {
    let (caller, callee) = try stores.pair()
    let call = try stores.connect(caller, callee)
    _ = try race(threads: 4) { _, thread, stores in
      for _ in 0..<25 {
        _ = try stores.quality.record(
          QualitySample(networkQuality: .bad), callId: call.id,
          by: thread % 2 == 0 ? caller : callee)
      }
      return true
    }[0].map { try $0.get() }
    #expect(try stores.events(caller).map(\.eventId) == Array(1...51))
    #expect(try stores.events(callee).map(\.eventId) == Array(1...52))
    try Consistency.check(stores.connection)
  }

  @Test("§6.2 a reader that follows while others write sees every event once and in order")
  func following() throws {
    let (caller, callee) = try stores.pair()
    let outcomes = try race(threads: 3) { _, thread, stores -> [Int64] in
      if thread > 0 {
        for _ in 0..<40 {
          do {
            let pair = thread == 1 ? (caller, callee) : (callee, caller)
            let call = try stores.ring(pair.0, pair.1)
            _ = try stores.calls.end(call.id, by: pair.0, reason: .hangup, from: Origin())
          } catch CallError.userBusy {}
        }
        return []
      }
      var seen: [Int64] = []
      for _ in 0..<300 {
        seen += try stores.outbox.events(of: callee, after: seen.last ?? 0, limit: 7).map(\.eventId)
      }
      return seen
    }[0]
    let seen = try outcomes[0].get()
    #expect(seen == Array(1..<Int64(seen.count + 1)))
    try Consistency.check(stores.connection)
  }
}
