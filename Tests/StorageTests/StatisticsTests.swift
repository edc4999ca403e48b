// Statistics against a straight count, to the millisecond at the edges (R15, contract §7.3).

import Calls
import MySQL
import System
import TestServers
import Testing

@testable import Storage

@Suite(.needsServer) struct StatisticsTests {
  /// A suite moves the time of its whole database: each test has one of its own.
  private func withStores(_ body: (Stores, [String]) throws -> Void) throws {
    let database = try TestDatabase.create()
    defer { database.drop() }
    try database.migrate()
    let stores = try Stores(database)
    let users = try stores.users("one", "two", "three")
    try stores.makeLines(users)
    try body(stores, users)
  }

  /// What the histories show since a moment, counted one by one.
  private func straight(_ stores: Stores, _ user: String, since from: Timestamp) throws
    -> CallStatistics
  {
    let rows = try stores.connection.query(
      """
      SELECT call_type, status, duration_seconds FROM call_history
      WHERE user_id = ? AND `timestamp` >= ?
      """, [.text(user), .time(from)])
    return rows.reduce(into: CallStatistics()) { sum, row in
      guard let type = CallType(rawValue: row.text(0)),
        let status = HistoryStatus(rawValue: row.text(1))
      else { return }
      sum.add(type, status, calls: 1, seconds: Int(row.int(2)))
    }
  }

  private func same(_ one: CallStatistics, _ other: CallStatistics) -> Bool {
    one.totalSeconds == other.totalSeconds && one.completedSeconds == other.completedSeconds
      && CallType.allCases.allSatisfy { type in
        HistoryStatus.allCases.allSatisfy {
          one.counts[type, default: [:]][$0, default: 0]
            == other.counts[type, default: [:]][$0, default: 0]
        }
      }
  }

  private func check(
    _ stores: Stores, _ users: [String], _ comment: Comment? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    for user in users {
      for period in StatisticsPeriod.allCases {
        let (found, from, to) = try stores.statistics.statistics(of: user, over: period)
        #expect(
          to.milliseconds - from.milliseconds == Int64(period.days) * 86_400_000,
          sourceLocation: sourceLocation)
        let expected = try straight(stores, user, since: from)
        let isSame = same(found, expected)
        #expect(
          isSame, comment ?? "\(period): \(found.totalCalls) for \(expected.totalCalls)",
          sourceLocation: sourceLocation)
      }
    }
  }

  private func randomCalls(
    _ users: [String], _ count: Int, _ moment: (inout SystemRandomNumberGenerator) -> Timestamp
  ) -> [Call] {
    var numbers = SystemRandomNumberGenerator()
    return (0..<count).map { _ in
      let pair = users.shuffled(using: &numbers)
      return Call.random(pair[0], pair[1], at: moment(&numbers), using: &numbers)
    }
  }

  @Test("R15.1–R15.5 sums, breakdowns and the mean are those of the calls")
  func sums() throws {
    try withStores { stores, users in
      let now = Timestamp.now()
      var calls: [Call] = []
      var numbers = SystemRandomNumberGenerator()
      for (status, seconds) in [(CallStatus.ended, 60), (.ended, 90), (.failed, 30)] {
        var call = Call.random(users[0], users[1], at: now, using: &numbers)
        (call.type, call.status, call.acceptedAt) = (.audio, status, now)
        (call.durationSeconds, call.wasInvited) = (seconds, true)
        calls.append(call)
      }
      try stores.plant(calls)
      _ = try stores.calls.end(
        try stores.ring(users[1], users[0], .video).id, by: users[1], reason: .hangup,
        from: Origin())
      let found = try stores.statistics.statistics(of: users[0], over: .day).statistics
      #expect(found.totalCalls == 4)
      #expect(found.count(CallType.audio) == 3)
      #expect(found.count(CallType.video) == 1)
      #expect(HistoryStatus.allCases.map { found.count($0) } == [2, 1, 0, 1])
      #expect(found.totalMinutes == 3)
      #expect(found.averageMinutes == 1.25)
      let nobody = try stores.statistics.statistics(of: "nobody", over: .year).statistics
      #expect(nobody.totalCalls == 0)
      #expect(nobody.averageMinutes == 0)
    }
  }

  @Test("R15.1 random calls over 400 days, all periods, now and as time passes")
  func randomData() throws {
    try withStores { stores, users in
      let now = Timestamp.now()
      try stores.plant(
        randomCalls(users, 600) { numbers in
          // As many in the last days as before.
          let days: Int64 = [1, 8, 31, 400].randomElement(using: &numbers)!
          return Timestamp(
            milliseconds: now.milliseconds
              - Int64.random(in: 0...(days * 86_400_000), using: &numbers))
        })
      try check(stores, users)
      for _ in 0..<12 {
        try stores.letPass(seconds: Int.random(in: 1...200_000))
        try check(stores, users)
      }
      try Consistency.check(stores.connection)
    }
  }

  @Test("§7.3 exact at the edge, with calls on both sides of it by the millisecond")
  func edges() throws {
    try withStores { stores, users in
      let now = Timestamp.now()
      try stores.plant(
        StatisticsPeriod.allCases.flatMap { period in
          randomCalls(users, 120) { numbers in
            let ahead = Int64.random(in: -1500...4500, using: &numbers)
            return Timestamp(
              milliseconds: now.milliseconds - Int64(period.days) * 86_400_000 + ahead)
          }
        })
      let end = MonotonicClock.milliseconds() + 2500
      while MonotonicClock.milliseconds() < end { try check(stores, [users[0]]) }
    }
  }

  @Test("§7.3 one call, moved over each edge by seconds")
  func oneCall() throws {
    for period in StatisticsPeriod.allCases {
      try withStores { stores, users in
        let call = try stores.connect(users[0], users[1])
        _ = try stores.calls.end(call.id, by: users[0], reason: .hangup, from: Origin())
        func total() throws -> Int {
          try stores.statistics.statistics(of: users[0], over: period).statistics.totalCalls
        }
        try stores.letPass(seconds: period.days * 86_400 - 30)
        #expect(try total() == 1, "\(period)")
        try check(stores, users)
        try stores.letPass(seconds: 31)
        #expect(try total() == 0, "\(period)")
      }
    }
  }

  @Test("§7.3 calls that came between arbitrary shifts of all times are counted as exactly")
  func mixedShifts() throws {
    try withStores { stores, users in
      for round in 0..<40 {
        let now = Timestamp.now()
        try stores.plant(
          randomCalls(users, 12) { numbers in
            Timestamp(
              milliseconds: now.milliseconds - Int64.random(in: 0...20_000_000, using: &numbers))
          })
        let seconds = [1800, 3600, 7200, 43_200, 86_400, Int.random(in: 1...90_000)]
        try stores.letPass(seconds: try #require(seconds.randomElement()))
        try check(stores, users, "round \(round)")
      }
      try Consistency.check(stores.connection)
    }
  }
}
