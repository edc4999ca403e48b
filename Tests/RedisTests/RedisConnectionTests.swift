import Glibc
import Redis
import System
import TestServers
import Testing

@Suite(.serialized) struct RedisConnectionTests {
  private func isUnavailable(_ error: any Error) -> Bool {
    if case .unavailable? = error as? RedisError { true } else { false }
  }

  @Test func commandsAreAnswered() throws {
    let server = try RedisServer()
    let redis = try server.connect()
    #expect(try redis.command("PING") == .simple("PONG"))
    #expect(try redis.command("SET", "k", RedisArgument([0, 255]), "EX", 300) == .simple("OK"))
    #expect(try redis.command("GET", "k") == .bulk([0, 255]))
    #expect(try redis.command("GET", "absent") == .null)
    #expect(try redis.command("EVAL", "return {1, 'a', {2}}", 0).elements?.count == 3)
    let long = [UInt8](repeating: 7, count: 300_000)
    #expect(try redis.command("SET", "long", RedisArgument(long)) == .simple("OK"))
    #expect(try redis.command("GET", "long").bytes == long)
  }

  @Test func aRefusalLeavesTheConnectionUsable() throws {
    let server = try RedisServer()
    let redis = try server.connect()
    #expect {
      try redis.command("NOSUCH")
    } throws: {
      if case .refused(let words)? = $0 as? RedisError { words.hasPrefix("ERR") } else { false }
    }
    #expect(try redis.command("PING") == .simple("PONG"))
  }

  @Test(
    "§7.14 a server that takes no writes is away, and is met again as soon as it takes them",
    arguments: [
      (["REPLICAOF", "127.0.0.1", "1"], ["REPLICAOF", "NO", "ONE"]),
      (["CONFIG", "SET", "maxmemory", "1"], ["CONFIG", "SET", "maxmemory", "0"]),
      (
        ["CONFIG", "SET", "min-replicas-to-write", "1"],
        ["CONFIG", "SET", "min-replicas-to-write", "0"]
      ),
    ])
  func aServerThatTakesNoWrites(change: [String], undo: [String]) throws {
    let server = try RedisServer()
    let (redis, admin) = (try server.connect(), try server.connect())
    let script: [RedisArgument] = ["EVAL", "return redis.call('RPUSH', KEYS[1], '1')", 1, "list"]
    for write in [["SETEX", "k", "60", "1"], script] {
      _ = try redis.command(write)
      _ = try admin.command(change.map { RedisArgument($0) })
      for _ in 0..<2 {
        #expect { try redis.command(write) } throws: { isUnavailable($0) }
      }
      _ = try admin.command(undo.map { RedisArgument($0) })
      _ = try redis.command(write)
    }
  }

  @Test func aPasswordAndADatabaseAreUsed() throws {
    let server = try RedisServer(options: ["--requirepass", "s@cret"])
    guard case .unix(let path) = try server.address.socket else { return }
    let redis = RedisConnection(
      address: try RedisAddress(url: "unix://:s%40cret@\(path)?db=5"), timeouts: .patient)
    #expect(try redis.command("SET", "k", "v") == .simple("OK"))
    let other = RedisConnection(
      address: try RedisAddress(url: "unix://:s%40cret@\(path)"), timeouts: .patient)
    #expect(try other.command("GET", "k") == .null)
    let wrong = RedisConnection(
      address: try RedisAddress(url: "unix://:wrong@\(path)"), timeouts: .patient)
    #expect { try wrong.command("PING") } throws: { isUnavailable($0) }
  }

  @Test func aRestartBetweenTwoCommandsIsNotNoticed() throws {
    let server = try RedisServer()
    let redis = try server.connect()
    #expect(try redis.command("PING") == .simple("PONG"))
    server.stop()
    try server.start()
    #expect(try redis.command("PING") == .simple("PONG"))
  }

  @Test func aServerThatIsNotThereCostsNothingAndIsMetAsSoonAsItIs() throws {
    let server = try RedisServer()
    var timeouts = RedisTimeouts.patient
    timeouts.backOffMilliseconds = 60_000
    let redis = RedisConnection(address: try server.address, timeouts: timeouts)
    #expect(try redis.command("PING") == .simple("PONG"))
    server.stop()
    for _ in 0..<1000 {
      #expect { try redis.command("PING") } throws: { isUnavailable($0) }
    }
    try server.start()
    #expect(try redis.command("PING") == .simple("PONG"))
  }

  /// A server that has answered once and hangs now; a reply is waited for for 100 ms.
  private func hanging(backOffMilliseconds: Int32) throws -> (RedisServer, RedisConnection) {
    let server = try RedisServer()
    var timeouts = RedisTimeouts.patient
    timeouts.replyMilliseconds = 100
    timeouts.cheapMilliseconds = 50
    timeouts.backOffMilliseconds = backOffMilliseconds
    for _ in 0..<100 {
      let redis = RedisConnection(address: try server.address, timeouts: timeouts)
      guard (try? redis.command("PING")) == .simple("PONG") else { continue }
      server.freeze(true)
      return (server, redis)
    }
    throw SystemError(errno: ETIMEDOUT, call: "PING")
  }

  /// Whether a PING is answered in the end, and with nothing else than that: each has 100 ms, which a busy machine may
  /// take for other things.
  private func pings(_ redis: RedisConnection) throws -> Bool {
    for _ in 0..<3000 {
      do { return try redis.command("PING") == .simple("PONG") } catch {
        guard isUnavailable(error) else { throw error }
        usleep(10_000)
      }
    }
    return false
  }

  @Test func aHangingServerCostsNothingDuringTheBackOff() throws {
    let (server, redis) = try hanging(backOffMilliseconds: 600_000)
    #expect { try redis.command("PING") } throws: { isUnavailable($0) }
    server.freeze(false)
    // Awake already, but not tried before the back-off is over; each would have taken 100 ms.
    let time = ContinuousClock().measure {
      for _ in 0..<1000 {
        #expect { try redis.command("PING") } throws: { isUnavailable($0) }
      }
    }
    #expect(time < .seconds(50))
  }

  @Test func afterTheBackOffAHangingServerIsTriedAgain() throws {
    let (server, redis) = try hanging(backOffMilliseconds: 300)
    var isAnswered = false
    let time = try ContinuousClock().measure {
      #expect { try redis.command("PING") } throws: { isUnavailable($0) }
      server.freeze(false)
      isAnswered = try pings(redis)
    }
    #expect(isAnswered && time > .milliseconds(390))
  }

  @Test func aHangingServerIsGivenUpInTime() throws {
    let (server, redis) = try hanging(backOffMilliseconds: 1)
    // The shortest of several, as the machine may stand still during one.
    var shortest = Duration.seconds(60)
    for _ in 0..<20 where shortest > .milliseconds(400) {
      usleep(2000)
      let time = ContinuousClock().measure {
        #expect { try redis.command("INCR", "k") } throws: { isUnavailable($0) }
      }
      shortest = min(shortest, time)
    }
    #expect(shortest > .milliseconds(90) && shortest < .milliseconds(400))
    server.freeze(false)
    usleep(5000)
    // The late reply to INCR is not taken for the next one's.
    #expect(try pings(redis))
  }

  @Test func aReplyOverTheLimitsEndsTheConnection() throws {
    let server = try RedisServer()
    var limits = RESPLimits()
    limits.replyBytes = 1000
    var timeouts = RedisTimeouts.patient
    timeouts.backOffMilliseconds = 0
    let redis = RedisConnection(address: try server.address, limits: limits, timeouts: timeouts)
    #expect {
      try redis.command("EVAL", "return string.rep('x', 2000)", 0)
    } throws: {
      if case .protocolViolation? = $0 as? RedisError { true } else { false }
    }
    #expect(try redis.command("PING") == .simple("PONG"))
  }
}
