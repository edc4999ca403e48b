import Calls
import MySQL
import System
import TestServers
import Testing

@testable import Storage

@Suite(.needsServer, .database) struct PresenceTests {
  private let stores: Stores

  init() throws { stores = try Stores() }

  private func seenAt(_ user: String) throws -> Timestamp? {
    try stores.connection.queryRow(
      "SELECT seen_at FROM user_lines WHERE user_id = ?", [.text(user)])?.time(0)
  }

  @Test("§5 whoever is in a call is noted, nobody else")
  func touch() throws {
    let users = try stores.users("one", "two", "three", "four")
    let call = try stores.ring(users[0], users[1])
    let over = try stores.ring(users[2], users[3])
    _ = try stores.calls.end(over.id, by: users[2], reason: .hangup, from: Origin())
    try stores.presence.touch([users[0], users[2], "nobody"])
    let seen = try #require(try seenAt(users[0]))
    #expect(seen >= call.createdAt)
    #expect(try seenAt(users[1]) == nil)
    #expect(try seenAt(users[2]) == nil)
    try stores.presence.touch([])
  }

  @Test("§5 several hundred at once")
  func many() throws {
    let pairs = try stores.pairs(130)
    for pair in pairs { _ = try stores.ring(pair.caller, pair.callee) }
    try stores.presence.touch(pairs.flatMap { [$0.caller, $0.callee] })
    for pair in pairs {
      #expect(try seenAt(pair.caller) != nil)
      #expect(try seenAt(pair.callee) != nil)
    }
  }

  @Test("§5 a line that somebody holds for long keeps nobody else from being noted")
  func lockedLine() throws {
    let pairs = try stores.pairs(2)
    for pair in pairs { _ = try stores.ring(pair.caller, pair.callee) }
    try stores.connection.run("START TRANSACTION")
    _ = try stores.connection.queryRow(
      "SELECT 1 FROM user_lines WHERE user_id = ? FOR UPDATE", [.text(pairs[0].caller)])
    let inTime = try isQuick(withinMilliseconds: 1000) {
      try stores.presence.touch(pairs.flatMap { [$0.caller, $0.callee] })
    }
    #expect(inTime)
    try stores.connection.run("ROLLBACK")
    #expect(try seenAt(pairs[0].caller) == nil)
    for user in [pairs[0].callee, pairs[1].caller, pairs[1].callee] {
      #expect(try seenAt(user) != nil)
    }
  }

  @Test("§5 noting goes along with calls that begin and end")
  func concurrently() throws {
    let users = try stores.users("a", "b", "c", "d")
    let outcomes = try race(threads: 4) { _, thread, stores in
      for _ in 0..<60 {
        if thread < 2 {
          try stores.presence.touch(users)
        } else {
          let call = try stores.ring(users[thread], users[thread - 2])
          _ = try stores.calls.end(call.id, by: users[thread], reason: .hangup, from: Origin())
        }
      }
      return true
    }[0]
    for outcome in outcomes { _ = try outcome.get() }
    try Consistency.check(stores.connection)
  }
}
