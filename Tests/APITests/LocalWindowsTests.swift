// The limits of one process, with a clock of the test's own (R10, contract §7.7).

import System
import Testing

@testable import API

@Suite struct LocalWindowsTests {
  private let start = Timestamp(milliseconds: 1_800_000_000_000)

  private func at(_ milliseconds: Int64) -> Timestamp {
    Timestamp(milliseconds: start.milliseconds + milliseconds)
  }

  @Test("R10.4 R10.5 as many as the limit, then none until the oldest is exactly 60 s old")
  func window() {
    var windows = LocalWindows()
    func take(_ milliseconds: Int64) -> RateDecision {
      windows.take(.callInitiate, user: "u", maximum: 3, now: at(milliseconds))
    }
    #expect(
      take(0)
        == RateDecision(limit: 3, isAllowed: true, remaining: 2, resetMilliseconds: 60_000))
    #expect(take(10_000).remaining == 1)
    #expect(take(20_000).remaining == 0)
    let refused = take(20_001)
    #expect(
      refused
        == RateDecision(limit: 3, isAllowed: false, remaining: 0, resetMilliseconds: 39_999))
    #expect(refused.resetSeconds == 40)
    #expect(refused.headers["RateLimit-Limit"] == "3")
    #expect(refused.headers["RateLimit-Remaining"] == "0")
    #expect(refused.headers["RateLimit-Reset"] == "40")
    #expect(!take(59_999).isAllowed)
    #expect(take(59_999).resetSeconds == 1)
    // What was refused has not counted.
    let next = take(60_000)
    #expect(next.isAllowed)
    #expect(next.remaining == 0)
    #expect(!take(69_999).isAllowed)
    #expect(take(70_000).isAllowed)
  }

  @Test("R10.5 Retry-After is when the next request is let through, whenever one asks")
  func retryAfterIsTrue() {
    var windows = LocalWindows()
    var now: Int64 = 0
    var numbers = SystemRandomNumberGenerator()
    for _ in 0..<500 {
      now += Int64.random(in: 0...9000, using: &numbers)
      let decision = windows.take(.callHistory, user: "u", maximum: 7, now: at(now))
      guard !decision.isAllowed else { continue }
      let wait = Int64(decision.resetMilliseconds)
      var copy = windows
      #expect(
        !copy.take(.callHistory, user: "u", maximum: 7, now: at(now + wait - 1)).isAllowed)
      copy = windows
      #expect(copy.take(.callHistory, user: "u", maximum: 7, now: at(now + wait)).isAllowed)
    }
  }

  @Test("R10 never more than the limit in any 60 s, however one asks")
  func anyWindow() {
    var windows = LocalWindows()
    var allowed: [Int64] = []
    var now: Int64 = 0
    var numbers = SystemRandomNumberGenerator()
    for _ in 0..<3000 {
      now += Int64.random(in: 0...6000, using: &numbers)
      if windows.take(.tokenGenerate, user: "u", maximum: 10, now: at(now)).isAllowed {
        allowed.append(now)
      }
    }
    for (index, time) in allowed.enumerated() where index >= 10 {
      #expect(time - allowed[index - 10] >= 60_000)
    }
  }

  @Test("R10 users and limits do not share")
  func separate() {
    var windows = LocalWindows()
    for limit in RateLimit.allCases {
      for user in ["a", "b"] {
        #expect(windows.take(limit, user: user, maximum: 1, now: start).isAllowed)
        #expect(!windows.take(limit, user: user, maximum: 1, now: start).isAllowed)
      }
    }
  }

  @Test func aCrowdOfUsersDoesNotGrowWithoutBound() {
    var windows = LocalWindows()
    for number in 0..<25_000 {
      let decision = windows.take(
        .callInitiate, user: "user \(number)", maximum: 1, now: at(Int64(number)))
      #expect(decision.isAllowed)
    }
  }

  @Test("§11.4 busy users take no more memory than as many idle ones: entries are bounded, too")
  func aCrowdOfRequestsDoesNotGrowWithoutBound() {
    var windows = LocalWindows()
    var largest = 0
    for user in 0..<700 {
      var refused = 0
      for _ in 0..<300 {
        let decision = windows.take(.other, user: "\(user)", maximum: 300, now: at(Int64(user)))
        refused += decision.isAllowed ? 0 : 1
      }
      #expect(refused == 0)
      largest = max(largest, windows.entryCount)
    }
    #expect((90_000...LocalWindows.entryLimit).contains(largest))
    // Nor does one user under a limit that is as good as none.
    for _ in 0..<110_000 { _ = windows.take(.other, user: "u", maximum: 1_000_000, now: start) }
    #expect(windows.entryCount <= LocalWindows.entryLimit)
  }

  @Test("§11.4 entries are counted as they come and go")
  func entryCount() {
    var windows = LocalWindows()
    for second in 0..<90 {
      _ = windows.take(.other, user: "a", maximum: 20, now: at(Int64(second) * 1000))
      _ = windows.take(.quality, user: "b", maximum: 300, now: at(Int64(second) * 1000))
    }
    #expect(windows.entryCount == 20 + 60)
  }
}
