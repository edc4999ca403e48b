// A user's history, page by page, against a straight ORDER BY (R6, contract §4, §7.2).

import Calls
import MySQL
import System
import TestServers
import Testing

@testable import Storage

@Suite(.needsServer, .database) struct HistoryTests {
  private let stores: Stores

  init() throws { stores = try Stores() }

  /// A user with that many calls, many of them at the same millisecond.
  private func userWithCalls(_ count: Int) throws -> String {
    let users = try stores.users("user", "x", "y", "z")
    try stores.makeLines(users)
    var numbers = SystemRandomNumberGenerator()
    let now = Timestamp.now()
    let calls = (0..<count).map { _ in
      let pair = [users[0], users[Int.random(in: 1...3, using: &numbers)]].shuffled()
      let moment = Timestamp(
        milliseconds: now.milliseconds - Int64.random(in: 0..<60, using: &numbers) * 1000)
      return Call.random(pair[0], pair[1], at: moment, using: &numbers)
    }
    try stores.plant(calls)
    return users[0]
  }

  private func straight(_ user: String, _ type: CallType?, _ status: HistoryStatus?) throws
    -> [Int64]
  {
    try stores.connection.query(
      """
      SELECT id FROM call_history WHERE user_id = ? AND (? IS NULL OR call_type = ?)
        AND (? IS NULL OR status = ?) ORDER BY `timestamp` DESC, id DESC
      """,
      [
        .text(user), .text(type?.rawValue), .text(type?.rawValue), .text(status?.rawValue),
        .text(status?.rawValue),
      ]
    ).map { $0.int(0) }
  }

  private static let filters: [(CallType?, HistoryStatus?)] =
    ([nil] + CallType.allCases).flatMap { type in
      ([nil] + HistoryStatus.allCases).map { (type, $0) }
    }

  @Test("R6.2–R6.5 pages and cursor walks show what a straight ORDER BY does, for every filter")
  func walks() throws {
    let user = try userWithCalls(400)
    for (type, status) in Self.filters {
      let expected = try straight(user, type, status)
      for limit in [1, 7, 100] where limit > 1 || expected.count < 60 {
        var query = HistoryQuery()
        (query.limit, query.callType, query.status) = (limit, type, status)
        var paged: [Int64] = []
        for page in 1...max(1, (expected.count + limit - 1) / limit) {
          query.position = .page(page)
          let found = try stores.page(of: user, query)
          paged += found.entries.map(\.id)
          #expect(found.total == expected.count)
          #expect(found.hasMore == (page * limit < expected.count))
        }
        #expect(paged == expected, "pages of \(limit), \(String(describing: (type, status)))")
        query.position = .page(1)
        var walked: [Int64] = []
        while true {
          let found = try stores.page(of: user, query)
          walked += found.entries.map(\.id)
          guard found.hasMore, let last = found.entries.last else { break }
          query.position = .after(HistoryCursor(timestamp: last.timestamp, id: last.id))
        }
        #expect(walked == expected, "walk by \(limit), \(String(describing: (type, status)))")
      }
    }
  }

  @Test("R6.2–R6.5 a page that is looked up in the index first is the same page")
  func farPages() throws {
    let user = try userWithCalls(120)
    for type in [nil] + CallType.allCases.map(Optional.some) {
      for status in [nil] + HistoryStatus.allCases.map(Optional.some) {
        var query = HistoryQuery()
        (query.limit, query.callType, query.status) = (7, type, status)
        let users = try UsersKey(stores.connection)
        for page in 1...4 {
          query.position = .page(page)
          let values = HistorySQL.values(user, query)
          let near = try stores.connection.query(
            HistorySQL.select(query, isFar: false, users), values)
          let far = try stores.connection.query(
            HistorySQL.select(query, isFar: true, users), values)
          #expect(far.map(\.values) == near.map(\.values))
        }
      }
    }
  }

  @Test("R6.2 past the end there is nothing, and the total all the same")
  func pastTheEnd() throws {
    let user = try userWithCalls(5)
    var query = HistoryQuery()
    query.position = .page(1_000_000)
    let page = try stores.page(of: user, query)
    #expect(page.entries.isEmpty)
    #expect(page.total == 5)
    #expect(!page.hasMore)
    let stranger = try stores.page(of: "nobody", HistoryQuery())
    #expect(stranger.entries.isEmpty)
    #expect(stranger.total == 0)
  }

  @Test("R6.5 a walk by cursor is not disturbed by calls that come in meanwhile")
  func newCallsDuringAWalk() throws {
    let user = try userWithCalls(30)
    let expected = try straight(user, nil, nil)
    let friend = try stores.users("friend")[0]
    for (one, other) in [(user, friend), (friend, user)] {
      try stores.people.setContact(of: one, to: other, .accepted)
    }
    var query = HistoryQuery()
    query.limit = 10
    var walked: [Int64] = []
    while true {
      let found = try stores.page(of: user, query)
      walked += found.entries.map(\.id)
      let call = try stores.ring(friend, user)
      _ = try stores.calls.end(call.id, by: friend, reason: .hangup, from: Origin())
      guard found.hasMore, let last = found.entries.last else { break }
      query.position = .after(HistoryCursor(timestamp: last.timestamp, id: last.id))
    }
    #expect(walked == expected)
  }

  @Test("R5.4 R6.1 R9.4 an ended call is in both histories, each from its own side")
  func entries() throws {
    let (caller, callee) = try stores.pair()
    let call = try stores.connect(caller, callee, .audio)
    try stores.age(call, seconds: 100)
    let over = try stores.calls.end(call.id, by: callee, reason: .hangup, from: Origin())
    for (user, peer, direction) in [
      (caller, callee, CallDirection.outgoing), (callee, caller, .incoming),
    ] {
      let entry = try #require(try stores.historyOf(user).first)
      #expect(entry.callId == call.id)
      #expect(entry.remoteUserId == peer)
      #expect(entry.callType == .audio)
      #expect(entry.status == .completed)
      #expect(entry.direction == direction)
      #expect(entry.endReason == .hangup)
      #expect(entry.timestamp == over.createdAt)
      #expect((100...105).contains(entry.durationSeconds))
      #expect(entry.durationSeconds == over.durationSeconds)
    }
    let page = try stores.page(of: caller, HistoryQuery())
    #expect(
      page.entries.map(\.remote) == [Party(id: callee, name: "callee", avatar: "/callee.png")])
  }

  @Test("§7.2 DELETE takes one's own entry, once; the statistics keep what happened")
  func deletion() throws {
    let (caller, callee) = try stores.pair()
    let call = try stores.connect(caller, callee)
    _ = try stores.calls.end(call.id, by: callee, reason: .hangup, from: Origin())
    let before = try stores.statistics.statistics(of: caller, over: .day).statistics
    for stranger in ["nobody", ""] {
      #expect(refusal { try stores.history.delete(call.id, of: stranger) } == .notFound(.call))
    }
    #expect(refusal { try stores.history.delete("nonsense", of: caller) } == .notFound(.call))
    try stores.history.delete(call.id.uppercased(), of: caller)
    #expect(refusal { try stores.history.delete(call.id, of: caller) } == .notFound(.call))
    #expect(try stores.historyOf(caller).isEmpty)
    #expect(try stores.page(of: caller, HistoryQuery()).total == 0)
    #expect(try stores.historyOf(callee).count == 1)
    #expect(try stores.statistics.statistics(of: caller, over: .day).statistics == before)
    #expect(before.totalCalls == 1)
    #expect(try stores.calls.details(call.id, for: caller).call.status == .ended)
    try Consistency.check(stores.connection, keepsAllHistory: false)
  }

  @Test("R6 totals are the rows counted after random ends and deletions, also at once")
  func totals() throws {
    let users = try stores.users("a", "b", "c", "d")
    let outcomes = try race(threads: 4) { _, thread, stores in
      var numbers = SystemRandomNumberGenerator()
      for _ in 0..<50 {
        let user = users[thread]
        let peer = users[(thread + Int.random(in: 1...3, using: &numbers)) % 4]
        do {
          let type: CallType = Bool.random(using: &numbers) ? .audio : .video
          let call = try stores.ring(user, peer, type)
          switch Int.random(in: 0..<4, using: &numbers) {
          case 0: _ = try stores.calls.accept(call.id, by: peer, from: Origin())
          case 1:
            _ = try stores.calls.reject(
              call.id, by: peer, reason: RejectReason.allCases.randomElement(using: &numbers)!,
              from: Origin())
          default: break
          }
          let reason: EndReason = Bool.random(using: &numbers) ? .failed : .hangup
          _ = try stores.calls.end(call.id, by: user, reason: reason, from: Origin())
        } catch CallError.userBusy {}
        if Bool.random(using: &numbers), let entry = try stores.historyOf(user, 5).randomElement() {
          do { try stores.history.delete(entry.callId, of: user) } catch CallError.notFound {}
        }
      }
      return true
    }[0]
    for outcome in outcomes { _ = try outcome.get() }
    try Consistency.check(stores.connection, keepsAllHistory: false)
    for user in users {
      for (type, status) in Self.filters {
        var query = HistoryQuery()
        (query.callType, query.status) = (type, status)
        let total = try stores.page(of: user, query).total
        #expect(try straight(user, type, status).count == total)
      }
    }
  }

  @Test("R6.1 people whose ids differ only in how an accent is written keep their own names")
  func lookalikes() throws {
    let suffix = Randomness.system.hexadecimal(bytes: 4)
    let ids = ["caller-\(suffix)", "\u{E9}-\(suffix)", "e\u{301}-\(suffix)"]
    for id in ids {
      let name = "name of \(id.unicodeScalars.count)"
      try stores.people.add(Person(id: id, username: name, fullName: nil, avatar: nil))
    }
    for id in ids.dropFirst() {
      try stores.people.setContact(of: ids[0], to: id, .accepted)
      let call = try stores.ring(ids[0], id)
      _ = try stores.calls.end(call.id, by: ids[0], reason: .hangup, from: Origin())
    }
    let page = try stores.page(of: ids[0], HistoryQuery())
    #expect(page.entries.count == 2)
    for entry in page.entries {
      #expect(entry.remote?.name == "name of \(entry.remoteUserId.unicodeScalars.count)")
    }
  }
}
