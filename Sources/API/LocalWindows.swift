// The windows of one process, for the time in which Redis is away.

import Crypto
import System

struct LocalWindows {
  private struct Key: Hashable {
    let limit: RateLimit
    let user: String
  }

  /// Users that one process remembers at the most; with more, those whose window has passed go.
  private static let capacity = 10_000

  private var times: [Key: [Int64]] = [:]

  mutating func take(_ limit: RateLimit, user: String, maximum: Int, now: Timestamp)
    -> RateDecision
  {
    let window = Int64(RateLimit.windowSeconds) * 1000
    let opened = now.milliseconds - window
    if times.count >= Self.capacity {
      times = times.filter { ($0.value.last ?? 0) > opened }
      if times.count >= Self.capacity { times.removeAll() }
    }
    let key = Key(limit: limit, user: user)
    var used = times[key, default: []].filter { $0 > opened }
    defer { times[key] = used }
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
}

/// Redis names a script by the SHA-1 of its text, in hexadecimal (EVALSHA).
func scriptName(_ script: String) -> String { hexadecimal(SHA1.digest(Array(script.utf8))) }
