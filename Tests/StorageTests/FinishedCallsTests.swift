// The calls that ended in a period: each once, in the order of their ends (chattrix-ctl cdr).

import Calls
import MySQL
import Synchronization
import System
import TestServers
import Testing

@testable import Storage

@Suite(.needsServer, .database) struct FinishedCallsTests {
  private let stores: Stores
  private let users: [String]
  /// Each test has a day of its own, long ago.
  private let start = Timestamp(
    milliseconds: Self.days.add(1, ordering: .relaxed).newValue * 86_400_000)
  private static let days = Atomic<Int64>(1000)

  init() throws {
    stores = try Stores()
    users = try stores.users("a", "b")
    try stores.makeLines(users)
  }

  private func at(_ milliseconds: Int64) -> Timestamp {
    Timestamp(milliseconds: start.milliseconds + milliseconds)
  }

  private func ids(_ from: Int64, _ to: Int64, pageRows: Int = 1000) throws -> [String] {
    var ids: [String] = []
    try FinishedCalls(stores.database, pageRows: pageRows).forEach(from: at(from), to: at(to)) {
      ids.append($0.id)
    }
    return ids
  }

  private func call(endedAt milliseconds: Int64) -> Call {
    var numbers = SystemRandomNumberGenerator()
    var call = Call.random(users[0], users[1], at: at(milliseconds - 9_000_000), using: &numbers)
    call.endedAt = at(milliseconds)
    return call
  }

  @Test("a period has its first millisecond and not its last one's next")
  func halfOpen() throws {
    let calls = [-1, 0, 1, 999, 1000].map { call(endedAt: $0) }
    try stores.plant(calls)
    #expect(try ids(0, 1000) == calls[1...3].map(\.id))
    #expect(try ids(1000, 2000) == [calls[4].id])
    #expect(try ids(-1000, 0) == [calls[0].id])
    #expect(try ids(5, 5) == [])
    #expect(try ids(2000, 3000) == [])
  }

  @Test("live calls are not in it, however long ago they began; a call is there as it was written")
  func finishedOnly() throws {
    let pair = try stores.pair()
    let live = try stores.connect(pair.0, pair.1)
    let now = Timestamp.now()
    let (from, to) = (now.adding(seconds: -3600), now.adding(seconds: 3600))
    let finished = FinishedCalls(stores.database)
    try finished.forEach(from: from, to: to) { #expect($0.id != live.id) }
    _ = try stores.calls.end(live.id, by: pair.0, reason: .hangup, from: Origin())
    let written = try stores.calls.find(live.id)
    var found: [Call] = []
    try finished.forEach(from: from, to: to) { if $0.id == live.id { found.append($0) } }
    #expect(found == [try #require(written)])
  }

  @Test("pages of any size give the same calls in the same order, many at one moment included")
  func pages() throws {
    var numbers = SystemRandomNumberGenerator()
    let calls = (0..<120).map { _ in call(endedAt: Int64.random(in: 0..<20, using: &numbers)) }
    try stores.plant(calls)
    let expected = calls.sorted {
      $0.endedAt != $1.endedAt ? $0.endedAt! < $1.endedAt! : $0.id < $1.id
    }.map(\.id)
    for pageRows in [1, 2, 7, 40, 1000] {
      #expect(try ids(0, 20, pageRows: pageRows) == expected)
    }
    // Periods that follow one another have each call once.
    for width in [1, 3, 8] as [Int64] {
      let parts = try stride(from: Int64(0), to: 20, by: Int64.Stride(width)).flatMap {
        try ids($0, min($0 + width, 20), pageRows: 5)
      }
      #expect(parts == expected)
    }
  }

  @Test("what body throws ends it")
  func thrown() throws {
    struct Enough: Error {}
    try stores.plant([call(endedAt: 0), call(endedAt: 1)])
    var count = 0
    #expect(throws: Enough.self) {
      try FinishedCalls(stores.database).forEach(from: at(0), to: at(10)) { _ in
        count += 1
        throw Enough()
      }
    }
    #expect(count == 1)
  }

  @Test("a period may grow while it is young, and while a call that was due in it lives")
  func mayGrow() throws {
    let finished = FinishedCalls(stores.database)
    let now = Timestamp.now()
    #expect(try finished.mayGrow(before: now.adding(seconds: 3600)))
    #expect(try finished.mayGrow(before: now.adding(seconds: -60)))
    #expect(try !finished.mayGrow(before: now.adding(seconds: -300)))
    let pair = try stores.pair()
    let overdue = try stores.ring(pair.0, pair.1)
    try stores.connection.execute(
      "UPDATE calls SET deadline_at = UTC_TIMESTAMP(3) - INTERVAL 1 HOUR WHERE id = ?",
      [.text(overdue.id)])
    #expect(try finished.mayGrow(before: now.adding(seconds: -300)))
    #expect(try !finished.mayGrow(before: now.adding(seconds: -7200)))
  }

  @Test("pages come from the index of status and end, and sort nothing")
  func plan() throws {
    try stores.plant((0..<50).map { call(endedAt: Int64($0)) })
    let plan = try QueryPlan(
      stores.connection, FinishedCalls.statement(of: .ended),
      [.time(at(0)), .time(at(50)), .time(at(0)), .text(""), .int(10)])
    #expect(plan.steps.map(\.index) == ["calls_status"])
    #expect(!plan.steps.contains { $0.extra.contains("filesort") })
  }
}
