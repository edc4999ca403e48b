// Whose hints a server asks Redis for: those of the users who are connected to it.

import Glibc
import Redis
import Storage
import System
import TestServers
import Testing

@testable import Signaling

@Suite(.serialized) struct HintSubscriptionTests {
  @Test func changesAreTakenInOrderAndNoMoreThanAsked() throws {
    let subscriptions = try HintSubscriptions()
    let changes = subscriptions.changes
    #expect(changes.take(limit: 2) == [])
    subscriptions.add("a")
    subscriptions.remove("a")
    subscriptions.add(["b", "c"])
    #expect(isReadable(changes.raw))
    #expect(changes.take(limit: 3) == [.add("a"), .remove("a"), .add("b")])
    #expect(isReadable(changes.raw))
    #expect(changes.take(limit: 3) == [.add("c")])
    #expect(!isReadable(changes.raw))
  }

  @Test("A hint reaches the server that holds the user, and no other one")
  func onlyWhereTheUserIs() throws {
    let redis = try RedisServer()
    let sidecar = try RunningSidecar(redis: [try redis.address])
    let publisher = try redis.connect()
    sidecar.world.with { $0.isPollBlind = true }
    let client = try sidecar.greeted("alice")
    let second = try sidecar.greeted("alice")
    #expect(eventually { heard("alice", publisher) == 1 })
    #expect(heard("bob", publisher) == 0)
    let id = sidecar.world.emit("call_ended", to: "alice")
    #expect(heard("alice", publisher) == 1)
    #expect(try client.next()["id"]?.stringValue == String(id))
    second.hangUp()
    usleep(50_000)
    #expect(heard("alice", publisher) == 1)
    client.hangUp()
    #expect(eventually { heard("alice", publisher) == 0 })
    _ = try sidecar.greeted("alice")
    #expect(eventually { heard("alice", publisher) == 1 })
  }

  @Test("After an outage of Redis, hints are asked for again")
  func askedForAgain() throws {
    let redis = try RedisServer()
    let sidecar = try RunningSidecar(redis: [try redis.address])
    let clients = try (0..<20).map { try sidecar.greeted("user-\($0)") }
    #expect(eventually { heard("user-19", try? redis.connect()) == 1 })
    redis.stop()
    clients[0].hangUp()
    try redis.start()
    let publisher = try redis.connect()
    #expect(eventually { heard("user-19", publisher) == 1 })
    for number in 1..<20 { #expect(heard("user-\(number)", publisher) == 1) }
    #expect(heard("user-0", publisher) == 0)
  }

  /// How many servers a hint of the user reached.
  private func heard(_ user: String, _ redis: RedisConnection?) -> Int64? {
    let reply = try? redis?.command("PUBLISH", RedisArgument(Hints.channel(of: user)), "1")
    guard case .integer(let count) = reply else { return nil }
    return count
  }

  private func isReadable(_ descriptor: Int32) -> Bool {
    var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&waiting, 1, 0) > 0
  }
}
