// The badge of missed calls (contract §11.1): a number that is kept beside the entries it counts.

import Calls
import MySQL
import System
import TestServers
import Testing

@testable import Storage

@Suite(.needsServer, .database) struct BadgeTests {
  private let stores: Stores

  init() throws { stores = try Stores() }

  @Test("contract 11.1 a look is an event, one, and only where something was unseen")
  func look() throws {
    let (caller, callee) = try stores.pair()
    #expect(try stores.history.unseenMissed(of: callee) == 0)
    try stores.history.see(by: callee, from: Origin())
    for missed in 1...2 {
      try stores.happen(.cancelled, caller, callee)
      #expect(try stores.history.unseenMissed(of: callee) == missed)
      #expect(try stores.history.unseenMissed(of: caller) == 0)
    }
    let origin = Origin(device: "phone", connection: "0123456789abcdef")
    for _ in 0..<3 { try stores.history.see(by: callee, from: origin) }
    #expect(try stores.history.unseenMissed(of: callee) == 0)
    let looks = try stores.events(callee).filter { $0.type == HistorySeen.type }
    #expect(looks.count == 1)
    #expect(looks.first?.callId == nil)
    #expect(looks.first.map { String(decoding: $0.data, as: UTF8.self) } == #"{"missed":0}"#)
    #expect(looks.first?.originDevice == origin.device)
    #expect(looks.first?.originConnection == origin.connection)
    #expect(try !stores.eventTypes(caller).contains(HistorySeen.type))
    try Consistency.check(stores.connection, keepsAllHistory: false)
  }

  @Test("contract 11.1 deleting lowers the badge by an unseen entry and by no other")
  func deletion() throws {
    let (caller, callee) = try stores.pair()
    let seen = try stores.happen(.timeout, caller, callee)
    try stores.history.see(by: callee, from: Origin())
    let unseen = try stores.happen(.timeout, caller, callee)
    let answered = try stores.happen(.hangup, caller, callee)
    let outgoing = try stores.happen(.timeout, callee, caller)
    for (call, left) in [(seen, 1), (answered, 1), (outgoing, 1), (unseen, 0)] {
      try stores.history.delete(call, of: callee)
      #expect(try stores.history.unseenMissed(of: callee) == left)
      try Consistency.check(stores.connection, keepsAllHistory: false)
    }
    #expect(try stores.history.unseenMissed(of: caller) == 1)
  }

  @Test("contract 11.1 what the table held before the migration counts as seen")
  func migration() throws {
    let (caller, callee) = try stores.pair()
    let call = try stores.happen(.timeout, caller, callee)
    // At once, for the tests that check the whole database beside this one.
    try stores.connection.run("START TRANSACTION")
    for reset in [
      "UPDATE call_history SET looks = DEFAULT(looks) WHERE user_id = ?",
      """
      UPDATE call_history_totals SET looks = DEFAULT(looks), unseen_missed = DEFAULT(unseen_missed)
      WHERE user_id = ?
      """,
    ] {
      try stores.connection.execute(reset, [.text(callee)])
    }
    try stores.connection.run("COMMIT")
    #expect(try stores.history.unseenMissed(of: callee) == 0)
    try Consistency.check(stores.connection, keepsAllHistory: false)
    try stores.history.delete(call, of: callee)
    try stores.happen(.timeout, caller, callee)
    #expect(try stores.history.unseenMissed(of: callee) == 1)
    try Consistency.check(stores.connection, keepsAllHistory: false)
  }

  @Test("contract 11.1 random calls, deletions and looks: the badge is a straight count each time")
  func sequentially() throws {
    var numbers = SystemRandomNumberGenerator()
    let users = try stores.users("a", "b", "c", "d")
    var unseen: [String: Set<String>] = [:]
    for _ in 0..<300 {
      let caller = users.randomElement(using: &numbers)!
      let callee = users.filter { $0 != caller }.randomElement(using: &numbers)!
      switch Int.random(in: 0..<10, using: &numbers) {
      case 0:
        try stores.history.see(by: callee, from: Origin())
        unseen[callee] = []
      case 1, 2, 3:
        guard let entry = try stores.historyOf(callee).randomElement(using: &numbers) else { break }
        try stores.history.delete(entry.callId, of: callee)
        unseen[callee]?.remove(entry.callId)
      default:
        let end = Stores.ends.randomElement(using: &numbers)!
        let call = try stores.happen(end, caller, callee)
        if [.timeout, .cancelled, .busy].contains(end) { unseen[callee, default: []].insert(call) }
      }
      let snapshots = try stores.outbox.snapshots(of: users).map(\.unseenMissed)
      let expected = users.map { unseen[$0]?.count ?? 0 }
      #expect(try users.map { try stores.history.unseenMissed(of: $0) } == expected)
      #expect(snapshots == expected)
    }
    try Consistency.check(stores.connection, keepsAllHistory: false)
  }

  @Test("contract 11.1 the same at once: right at every moment, and no event out of its place")
  func concurrently() throws {
    let users = try stores.users("a", "b", "c", "d")
    let outcomes = try race(threads: 6) { _, thread, stores in
      var numbers = SystemRandomNumberGenerator()
      for _ in 0..<60 {
        let user = users[thread % 4]
        let peer = users.filter { $0 != user }.randomElement(using: &numbers)!
        switch (thread, Int.random(in: 0..<4, using: &numbers)) {
        case (5, _): try Consistency.check(stores.connection, keepsAllHistory: false)
        case (4, _), (_, 0): try stores.history.see(by: peer, from: Origin())
        case (_, 1):
          guard let entry = try stores.historyOf(peer, 5).randomElement(using: &numbers) else {
            break
          }
          do { try stores.history.delete(entry.callId, of: peer) } catch CallError.notFound {}
        default:
          do {
            try stores.happen(.cancelled, user, peer)
          } catch CallError.userBusy {}
        }
      }
      return true
    }[0]
    for outcome in outcomes { _ = try outcome.get() }
    try Consistency.check(stores.connection, keepsAllHistory: false)
    for user in users {
      try stores.history.see(by: user, from: Origin())
      #expect(try stores.history.unseenMissed(of: user) == 0)
    }
    try Consistency.check(stores.connection, keepsAllHistory: false)
  }

  @Test("a look by a user whose line was lost makes it anew, where the events go on")
  func lostLine() throws {
    let (caller, callee) = try stores.pair()
    try stores.happen(.timeout, caller, callee)
    try stores.connection.execute("DELETE FROM user_lines WHERE user_id = ?", [.text(callee)])
    try stores.history.see(by: callee, from: Origin())
    #expect(try stores.eventTypes(callee).last == HistorySeen.type)
    try Consistency.check(stores.connection, keepsAllHistory: false)
  }
}

extension Stores {
  /// How a call of `happen` may end.
  fileprivate static let ends: [EndReason] = [.timeout, .cancelled, .busy, .declined, .hangup]

  /// A call from its beginning to its end.
  /// - Returns: Its id.
  @discardableResult
  fileprivate func happen(_ end: EndReason, _ caller: String, _ callee: String) throws -> String {
    if end == .busy { return try busy(caller, callee) }
    let call = end == .hangup ? try connect(caller, callee) : try ring(caller, callee)
    switch end {
    case .timeout:
      try age(call, seconds: 61)
      _ = try calls.expire(call.id)
    case .declined: _ = try calls.reject(call.id, by: callee, reason: .declined, from: Origin())
    default: _ = try calls.end(call.id, by: caller, reason: .hangup, from: Origin())
    }
    return call.id
  }

  /// A call to a callee who is in another one, with a user whom nobody else calls.
  private func busy(_ caller: String, _ callee: String) throws -> String {
    let third = try users("third")[0]
    for (one, other) in [(third, callee), (callee, third)] {
      try people.setContact(of: one, to: other, .accepted)
    }
    let call = try connect(third, callee)
    #expect(throws: CallError.userBusy(party: .callee, activeCallId: nil)) {
      try ring(caller, callee)
    }
    _ = try calls.end(call.id, by: third, reason: .hangup, from: Origin())
    return try #require(try historyOf(callee).first { $0.endReason == .busy }).callId
  }
}
