// Several servers, of which the first that serves is used.

import Glibc
import Redis
import System
import TestServers
import Testing

@Suite(.serialized) struct RedisNodesTests {
  private let first: RedisServer
  private let second: RedisServer

  init() throws {
    first = try RedisServer()
    second = try RedisServer()
    _ = try first.connect().command("SET", "name", "first")
    _ = try second.connect().command("SET", "name", "second")
  }

  private func connection(_ change: (inout RedisTimeouts) -> Void = { _ in }) throws
    -> RedisConnection
  {
    var timeouts = RedisTimeouts.patient
    change(&timeouts)
    return RedisConnection(addresses: [try first.address, try second.address], timeouts: timeouts)
  }

  private func name(_ redis: RedisConnection) throws -> String {
    String(decoding: try redis.command("GET", "name").bytes ?? [], as: UTF8.self)
  }

  @Test("§10 the next server serves while the first is away, and the first again later")
  func away() throws {
    let redis = try connection { $0.settledMilliseconds = 300 }
    #expect(try name(redis) == "first")
    first.stop()
    #expect(try name(redis) == "second")
    try first.start()
    _ = try first.connect().command("SET", "name", "first")
    usleep(350_000)
    #expect(try name(redis) == "first")
  }

  @Test("§10 a replica counts as away, from the beginning and from when it becomes one")
  func replica() throws {
    let before = try connection()
    #expect(try name(before) == "first")
    _ = try first.connect().command("REPLICAOF", "127.0.0.1", "1")
    #expect(try name(connection()) == "second")
    #expect(throws: RedisError.self) { try before.command("SET", "k", "v") }
    #expect(try before.command("SET", "k", "v") == .simple("OK"))
    #expect(try name(before) == "second")
  }

  @Test(
    "§10 a server that is full, or lacks its replicas, costs one command and counts as away",
    arguments: [["maxmemory", "1"], ["min-replicas-to-write", "1"]])
  func unwritable(setting: [String]) throws {
    let redis = try connection()
    #expect(try redis.command("SET", "k", "v") == .simple("OK"))
    _ = try first.connect().command(["CONFIG", "SET"] + setting.map { RedisArgument($0) })
    #expect(throws: RedisError.self) { try redis.command("SET", "k", "v") }
    #expect(try redis.command("SET", "k", "v") == .simple("OK"))
    #expect(try name(redis) == "second")
  }

  @Test("§10 a server that is loading its data set counts as away")
  func loading() throws {
    // Two milliseconds a key, and clients are heard after some thirty of them.
    let slow = try RedisServer(options: [
      "--key-load-delay", "2000", "--loading-process-events-interval-bytes", "1024",
    ])
    let writer = try slow.connect()
    for key in 0..<8000 { _ = try writer.command("SET", RedisArgument("k\(key)"), "some value") }
    _ = try writer.command("SAVE")
    slow.stop()
    try slow.start()
    var timeouts = RedisTimeouts.patient
    timeouts.replyMilliseconds = 3000
    let redis = RedisConnection(
      addresses: [try slow.address, try second.address], timeouts: timeouts)
    // It is refused (LOADING), or the server took too long to say so.
    _ = try? redis.command("GET", "name")
    #expect(try name(redis) == "second")
  }

  @Test("§10 a server that hangs costs one command its time")
  func hanging() throws {
    let redis = try connection {
      $0.cheapMilliseconds = 50
      $0.replyMilliseconds = 1500
      $0.backOffMilliseconds = 600_000
    }
    #expect(try name(redis) == "first")
    first.freeze(true)
    defer { first.freeze(false) }
    #expect(throws: RedisError.self) { try redis.command("PING") }
    for _ in 0..<10 { #expect(try name(redis) == "second") }
  }

  @Test("§10 whoever listens moves to the next server as well")
  func subscriber() throws {
    var timeouts = RedisTimeouts.patient
    timeouts.backOffMilliseconds = 20
    let subscriber = RedisSubscriber(
      addresses: [try first.address, try second.address], channels: ["c"], timeouts: timeouts)
    #expect(try subscriber.next(timeoutMilliseconds: 20) == .connected)
    first.stop()
    #expect(throws: RedisError.self) { try subscriber.next(timeoutMilliseconds: 30_000) }
    var notice: RedisNotice?
    for _ in 0..<100 where notice == nil {
      notice = try subscriber.next(timeoutMilliseconds: 20)
    }
    #expect(notice == .connected)
    #expect(try second.connect().command("PUBLISH", "c", "word") == .integer(1))
    #expect(try subscriber.next(timeoutMilliseconds: 30_000) == .message("word", of: "c"))
  }
}
