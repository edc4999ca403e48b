// The limits that all workers share through a real Redis (R10, contract §7.7).

import Glibc
import Redis
import System
import TestServers
import Testing

@testable import API

@Suite(.serialized) struct RateLimiterTests {
  private let server: RedisServer
  private let redis: RedisConnection
  private let logFile: LogFile

  init() throws {
    server = try RedisServer()
    redis = try server.connect()
    logFile = try LogFile()
  }

  private func limiter(_ maximum: Int) throws -> RateLimiter {
    RateLimiter(
      redis: try server.connect(), limits: [.callInitiate: maximum, .callHistory: maximum],
      log: logFile.log)
  }

  private func take(_ limiter: RateLimiter, _ user: String = "u") throws -> RateDecision {
    try #require(limiter.take(.callInitiate, user: user, requestId: "r"))
  }

  /// Lets a user's past requests have been made earlier.
  private func age(milliseconds: Int, _ user: String = "u") throws {
    let key = RedisArgument("chattrix:limit:call-initiate:\(user)")
    let entries = try redis.command(["LRANGE", key, "0", "-1"]).elements ?? []
    for (index, entry) in entries.enumerated() {
      let time = try #require(Int64(String(decoding: entry.bytes ?? [], as: UTF8.self)))
      _ = try redis.command([
        "LSET", key, RedisArgument(String(index)),
        RedisArgument(String(time - Int64(milliseconds) * 1000)),
      ])
    }
  }

  @Test("R10.2 R10.5 shared by all workers; a refusal does not count, and tells when to come back")
  func shared() throws {
    let workers = try (0..<3).map { _ in try limiter(5) }
    for number in 0..<5 {
      let decision = try take(workers[number % 3])
      #expect(decision.isAllowed)
      #expect(decision.remaining == 4 - number)
      #expect((30_000...60_000).contains(decision.resetMilliseconds))
    }
    for worker in workers {
      let refused = try take(worker)
      #expect(!refused.isAllowed)
      #expect(refused.remaining == 0)
      #expect((30...60).contains(refused.resetSeconds))
    }
    #expect(logFile.lines.isEmpty)
  }

  @Test("R10.5 a refusal tells to the millisecond when the next request is let through")
  func comesBack() throws {
    let workers = try (0..<2).map { _ in try limiter(1) }
    for number in 0..<20 {
      let user = "user \(number)"
      _ = try take(workers[0], user)
      try age(milliseconds: 59_300, user)
      let refused = try take(workers[0], user)
      // Where the machine stood still for the rest of the minute, with another user.
      if refused.isAllowed { continue }
      #expect(refused.resetSeconds == 1)
      usleep(UInt32(refused.resetMilliseconds) * 1000 + 2000)
      #expect(try take(workers[1], user).isAllowed)
      return
    }
    Issue.record("nobody was refused")
  }

  @Test("R10 the window slides: each request frees its own place after 60 s")
  func sliding() throws {
    let worker = try limiter(3)
    _ = try take(worker)
    try age(milliseconds: 30_000)
    _ = try take(worker)
    _ = try take(worker)
    let refused = try take(worker)
    #expect(!refused.isAllowed)
    #expect((10_000...30_000).contains(refused.resetMilliseconds))
    try age(milliseconds: 30_000)
    let next = try take(worker)
    #expect(next.isAllowed)
    #expect(next.remaining == 0)
    let again = try take(worker)
    #expect(!again.isAllowed)
    #expect((10_000...30_000).contains(again.resetMilliseconds))
  }

  @Test("R10 a limit that was lowered holds at once")
  func lowered() throws {
    let before = try limiter(5)
    for _ in 0..<5 { _ = try take(before) }
    try age(milliseconds: 10_000)
    let refused = try take(try limiter(2))
    #expect(!refused.isAllowed)
    #expect((20_000...50_000).contains(refused.resetMilliseconds))
  }

  @Test("R10 users and limits do not share, keys go by themselves, 0 is no limit")
  func separate() throws {
    let worker = try limiter(1)
    #expect(try take(worker, "a").isAllowed)
    #expect(try take(worker, "b").isAllowed)
    #expect(worker.take(.callHistory, user: "a", requestId: "r")?.isAllowed == true)
    #expect(try !take(worker, "a").isAllowed)
    let left = try redis.command("PTTL", "chattrix:limit:call-initiate:a").integerValue ?? 0
    #expect((20_000...60_000).contains(left))
    #expect(worker.take(.tokenGenerate, user: "a", requestId: "r") == nil)
    let none = try limiter(0)
    #expect(none.take(.callInitiate, user: "a", requestId: "r") == nil)
  }

  @Test("§11.4 a user who uses up the largest limit costs Redis less than 4 KiB")
  func memory() throws {
    let worker = RateLimiter(
      redis: try server.connect(), limits: [.other: 300], log: logFile.log)
    for _ in 0..<310 { _ = worker.take(.other, user: "u", requestId: "r") }
    #expect(try redis.command("LLEN", "chattrix:limit:other:u") == .integer(300))
    let bytes = try redis.command("MEMORY", "USAGE", "chattrix:limit:other:u").integerValue
    #expect(try #require(bytes) < 4096)
  }

  @Test("R10 a Redis that has forgotten the script, or was restarted, is taught again")
  func forgottenScript() throws {
    let workers = try (0..<2).map { _ in try limiter(4) }
    for worker in workers { #expect(try take(worker).isAllowed) }
    _ = try redis.command("SCRIPT", "FLUSH")
    for worker in workers { #expect(try take(worker).isAllowed) }
    for worker in workers { #expect(try !take(worker).isAllowed) }
    server.stop()
    try server.start()
    usleep(1_100_000)
    // Redis starts empty: shared again, from nothing.
    for number in 0..<6 {
      #expect(try take(workers[number % 2]).isAllowed == (number < 4))
    }
    #expect(logFile.lines.isEmpty)
  }

  @Test("R10 with Redis away each process keeps its own limits, and says so once")
  func away() throws {
    let worker = try limiter(2)
    #expect(try take(worker).isAllowed)
    server.stop()
    for number in 0..<5 { #expect(try take(worker).isAllowed == (number < 2)) }
    #expect(logFile.lines("rate_limits_local").count == 1)
    #expect(logFile.lines[0]["requestId"] == "r")
    try server.start()
    usleep(1_100_000)
    #expect(try take(worker, "v").isAllowed)
    #expect(try redis.command("EXISTS", "chattrix:limit:call-initiate:v") == .integer(1))
  }

  @Test("R10 nothing odd in a user's id disturbs the key")
  func oddIds() throws {
    let worker = try limiter(1)
    for user in ["a b", "a\r\nDEL x", "é", "{}*", String(repeating: "😀", count: 64)] {
      #expect(try take(worker, user).isAllowed)
      #expect(try !take(worker, user).isAllowed)
    }
    #expect(logFile.lines.isEmpty)
  }
}
