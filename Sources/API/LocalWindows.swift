// The windows of one process, for the time in which Redis is away.

import Crypto
import System

struct LocalWindows {
  private struct Key: Hashable {
    let limit: RateLimit
    let user: String
  }

  /// Windows that one process remembers at the most.
  static let windowLimit = 16_000
  /// Requests that it remembers at the most, of 8 bytes each: a user may have made hundreds.
  static let entryLimit = 100_000

  private var times: [Key: [Int64]] = [:]
  private(set) var entryCount = 0

  mutating func take(_ limit: RateLimit, user: String, maximum: Int, now: Timestamp)
    -> RateDecision
  {
    let window = Int64(RateLimit.windowSeconds) * 1000
    let opened = now.milliseconds - window
    if times.count >= Self.windowLimit || entryCount >= Self.entryLimit { makeRoom(opened) }
    let key = Key(limit: limit, user: user)
    var used = times.removeValue(forKey: key) ?? []
    entryCount -= used.count
    // Oldest first: only those that have passed are looked at.
    used.removeFirst(used.firstIndex { $0 > opened } ?? used.count)
    defer {
      entryCount += used.count
      times[key] = used
    }
    if used.count >= maximum {
      let blocking = used[used.count - maximum]
      return RateDecision(
        limit: maximum, isAllowed: false, remaining: 0,
        resetMilliseconds: Int(blocking + window - now.milliseconds))
    }
    used.append(now.milliseconds)
    return RateDecision(
      limit: maximum, isAllowed: true, remaining: maximum - used.count,
      resetMilliseconds: Int(used[0] + window - now.milliseconds))
  }

  /// Forgets the windows that have passed, and all of them where that does not free half: otherwise each
  /// request of a crowd would look through all.
  private mutating func makeRoom(_ opened: Int64) {
    times = times.filter { ($0.value.last ?? 0) > opened }
    entryCount = times.values.reduce(0) { $0 + $1.count }
    if times.count > Self.windowLimit / 2 || entryCount > Self.entryLimit / 2 {
      times.removeAll()
      entryCount = 0
    }
  }
}

/// Redis names a script by the SHA-1 of its text, in hexadecimal (EVALSHA).
func scriptName(_ script: String) -> String { hexadecimal(SHA1.digest(Array(script.utf8))) }
