// Connections killed at random while people call each other.

import Calls
import Glibc
import MySQL
import Synchronization
import System
import TestServers
import Testing

@testable import Storage

@Suite(.needsServer, .database) struct ConnectionStormTests {
  @Test("connections killed at random while people call: done or unavailable, never half")
  func storm() throws {
    let database = TestDatabase.current
    let users = try Stores().users("a", "b", "c", "d", "e", "f")
    let killer = Killer(database)
    let outcomes = try killer.whileKilling {
      try race(threads: 4, in: database) { _, thread, stores -> Tally in
        try callAround(users, stores, killer)
      }[0]
    }
    let tallies = try outcomes.map { try $0.get() }
    #expect(tallies.reduce(0) { $0 + $1.done } > 20)
    #expect(tallies.reduce(0) { $0 + $1.unavailable } > 0)
    try Consistency.check(try database.connect())
  }
}

private struct Tally {
  var done = 0
  var unavailable = 0
}

/// Eighty calls; what is refused or cut off is left as it is.
private func callAround(_ users: [String], _ stores: Stores, _ killer: Killer) throws -> Tally {
  var numbers = SystemRandomNumberGenerator()
  var tally = Tally()
  for step in 0..<80 {
    let pair = users.shuffled(using: &numbers)
    killer.allowOne()
    do {
      let call = try stores.ring(pair[0], pair[1])
      try stores.calls.markRinging(call.id)
      if step % 3 > 0 { _ = try stores.calls.accept(call.id, by: pair[1], from: Origin()) }
      if step % 3 > 1 {
        _ = try stores.quality.record(
          QualitySample(networkQuality: .poor), callId: call.id, by: pair[0])
      }
      _ = try stores.calls.end(call.id, by: pair[1], reason: .hangup, from: Origin())
      tally.done += 1
    } catch CallError.userBusy {
      // Perhaps with a call whose end was cut off.
      for user in pair.prefix(2) {
        guard let call = try? stores.calls.active(of: user)?.call else { continue }
        _ = try? stores.calls.end(call.id, by: user, reason: .hangup, from: Origin())
      }
    } catch is CallError {
    } catch let error as MySQLError where error.isUnavailable { tally.unavailable += 1 }
  }
  return tally
}

/// Kills a random connection to a database every few milliseconds, and no more than there are calls: on a busy
/// machine a call takes longer than that.
private final class Killer: Sendable {
  private let database: TestDatabase
  private let allowed = Atomic<Int>(0)
  private let isOver = Atomic<Bool>(false)

  init(_ database: TestDatabase) { self.database = database }

  func allowOne() { allowed.add(1, ordering: .relaxed) }

  func whileKilling<Result>(_ body: () throws -> Result) throws -> Result {
    let thread = try Thread.start(name: "killer") { [self] in
      do { try kill() } catch { Issue.record(error) }
    }
    defer {
      isOver.store(true, ordering: .relaxed)
      thread.join()
    }
    return try body()
  }

  private func sessions(_ connection: MySQLConnection) throws -> [MySQLRecord] {
    do {
      return try connection.query(
        "SELECT id FROM processlist WHERE db = ?", [.text(database.name)])
    } catch let error as MySQLError where error.code == 3854 {
      // MySQL cannot show a list in which a statement has an emoji.
      return []
    }
  }

  private func kill() throws {
    let connection = try MySQLConnection(TestServer.options(database: "information_schema"))
    var killed = 0
    while !isOver.load(ordering: .relaxed) {
      if killed < allowed.load(ordering: .relaxed) {
        let victims = try sessions(connection)
        // It may have gone by itself.
        if let victim = victims.randomElement() {
          try? connection.run("KILL CONNECTION \(victim.int(0))")
          killed += 1
        }
      }
      usleep(4000)
    }
  }
}
