// Rate limits per user in any 60 s window (R10, contract §7.7, §11.4): a log of the times of the requests
// that were let through, in Redis for all workers and hosts, one round trip a request. With Redis
// away each process keeps its own.

import Calls
import HTTP
import Redis
import System

/// What is limited, and under which name its window is kept.
package enum RateLimit: String, Sendable, CaseIterable {
  case tokenGenerate = "token-generate"
  case tokenRefresh = "token-refresh"
  case callInitiate = "call-initiate"
  case callHistory = "call-history"
  case quality
  case ticket
  /// All routes without a limit of their own, together.
  case other

  package static let windowSeconds = 60
}

/// What became of one request.
struct RateDecision: Equatable {
  let limit: Int
  let isAllowed: Bool
  /// Requests that would still be let through now.
  let remaining: Int
  /// Milliseconds until the oldest request leaves the window: where the request was refused, until
  /// the next one will be let through.
  let resetMilliseconds: Int

  /// `resetMilliseconds`, rounded up; at least 1 where the request was refused.
  var resetSeconds: Int { max(isAllowed ? 0 : 1, (resetMilliseconds + 999) / 1000) }

  /// `RateLimit-*`; `Retry-After` comes with the refusal.
  var headers: HTTPHeaders {
    [
      "RateLimit-Limit": String(limit), "RateLimit-Remaining": String(remaining),
      "RateLimit-Reset": String(resetSeconds),
    ]
  }
}

final class RateLimiter {
  private let redis: RedisConnection?
  private let limits: [RateLimit: Int]
  private var local = LocalWindows()
  private let log: Log
  private var warnedAt = Timestamp(milliseconds: 0)

  /// - Parameter limits: Requests per window; 0, or no entry, is no limit.
  init(redis: RedisConnection?, limits: [RateLimit: Int], log: Log) {
    (self.redis, self.limits, self.log) = (redis, limits, log)
  }

  /// Counts a request, unless it is one too many.
  /// - Returns: nil where there is no limit.
  func take(_ limit: RateLimit, user: String, requestId: String) -> RateDecision? {
    guard let maximum = limits[limit], maximum > 0 else { return nil }
    do {
      if let redis { return try shared(redis, limit, maximum, user) }
    } catch {
      warn("\(error)", requestId)
    }
    return local.take(limit, user: user, maximum: maximum, now: .now())
  }

  private func warn(_ reason: String, _ requestId: String) {
    let now = Timestamp.now()
    guard now >= warnedAt.adding(seconds: 60) else { return }
    warnedAt = now
    log.warning(
      "rate_limits_local", requestId: requestId,
      ["reason": .string(reason), "effect": "limits are kept per process"])
  }

  // Times are Redis' own, in microseconds, so that hosts need not agree. Each request leaves one
  // entry, oldest first; KEYS[1] the user's list, ARGV[1] the limit, ARGV[2] the window. A list has at
  // most as many entries as the limit, of 10 bytes each (20: 352 bytes, 300: 3200 bytes by Redis 7's
  // MEMORY USAGE), and is gone a minute after the last request.
  private static let script = """
    local t = redis.call('TIME')
    local now = t[1] * 1000000 + t[2]
    local limit = tonumber(ARGV[1])
    local window = tonumber(ARGV[2])
    local first = redis.call('LINDEX', KEYS[1], 0)
    while first and tonumber(first) <= now - window do
      redis.call('LPOP', KEYS[1])
      first = redis.call('LINDEX', KEYS[1], 0)
    end
    local used = redis.call('LLEN', KEYS[1])
    if used >= limit then
      local blocking = redis.call('LINDEX', KEYS[1], used - limit)
      return {0, 0, tonumber(blocking) + window - now}
    end
    redis.call('RPUSH', KEYS[1], string.format('%.0f', now))
    redis.call('PEXPIRE', KEYS[1], window / 1000)
    return {1, limit - used - 1, (tonumber(first) or now) + window - now}
    """

  private func shared(
    _ redis: RedisConnection, _ limit: RateLimit, _ maximum: Int, _ user: String
  ) throws -> RateDecision {
    let arguments: [RedisArgument] = [
      "1", .init("chattrix:limit:\(limit.rawValue):\(user)"), .init(String(maximum)),
      .init(String(RateLimit.windowSeconds * 1_000_000)),
    ]
    let reply = try run(redis, arguments)
    guard case .array(let values) = reply, values.count == 3,
      case .integer(let allowed) = values[0], case .integer(let remaining) = values[1],
      case .integer(let microseconds) = values[2]
    else { throw UnexpectedReply() }
    return RateDecision(
      limit: maximum, isAllowed: allowed == 1, remaining: Int(remaining),
      resetMilliseconds: Int((microseconds + 999) / 1000))
  }

  /// Runs the script by its name, and teaches it to a Redis that does not know it (any more).
  private func run(_ redis: RedisConnection, _ arguments: [RedisArgument]) throws(RedisError)
    -> RedisValue
  {
    do {
      return try redis.command(["EVALSHA", .init(Self.digest)] + arguments)
    } catch .refused(let message) where message.hasPrefix("NOSCRIPT") {
      return try redis.command(["EVAL", .init(Self.script)] + arguments)
    }
  }

  private static let digest = scriptName(script)

  private struct UnexpectedReply: Error {}
}
