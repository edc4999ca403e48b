// Whatever a server's defaults and its `init_connect` are, statements mean what they should.

import Calls
import Glibc
import MySQL
import Synchronization
import System
import TestServers
import Testing

@testable import Storage

/// A server's settings that change the meaning of statements, each as SET GLOBAL takes it.
private struct HostileDefaults: Sendable, CustomTestStringConvertible {
  let name: String
  /// Assignments and what they are set back to.
  let settings: [(String, hostile: String)]

  init(_ name: String, _ settings: (String, String)...) {
    self.name = name
    self.settings = settings.map { ($0.0, hostile: $0.1) }
  }

  var testDescription: String { name }

  /// Run in each new session of an account without SUPER.
  static func session(_ statement: String) -> HostileDefaults {
    HostileDefaults(statement, ("init_connect", "'\(statement)'"))
  }

  static let all = [
    HostileDefaults("a server in latin1", ("character_set_server", "latin1")),
    session("SET NAMES latin1"), session("SET NAMES utf8mb3"),
    session("SET NAMES utf8mb4 COLLATE utf8mb4_bin"),
    session("SET character_set_results = latin1"), session("SET collation_connection = latin1_bin"),
    session("SET time_zone = \"+05:30\""), session("SET timestamp = 86400"),
    session("SET sql_mode = \"ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES,IGNORE_SPACE\""),
    session("SET sql_mode = \"\""), session("SET autocommit = 0"),
    session("SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE"),
    session("SET SESSION TRANSACTION READ ONLY"), session("SET completion_type = 1"),
    session("SET completion_type = 2"), session("SET sql_auto_is_null = 1"),
    session("SET div_precision_increment = 0"), session("SET max_sort_length = 64"),
    session("SET foreign_key_checks = 0"), session("SET unique_checks = 0"),
    session("SET innodb_lock_wait_timeout = 1"), session("SET lock_wait_timeout = 1"),
    HostileDefaults("sql_select_limit", ("sql_select_limit", "1")),
    HostileDefaults("sql_safe_updates", ("sql_safe_updates", "1")),
    HostileDefaults("max_join_size", ("max_join_size", "1")),
    HostileDefaults("sql_mode", ("sql_mode", "'ANSI'")),
    HostileDefaults("sql_mode of Oracle", ("sql_mode", "'ORACLE'")),
    HostileDefaults("autocommit", ("autocommit", "0")),
    HostileDefaults("completion_type", ("completion_type", "2")),
    HostileDefaults("transaction_read_only", ("transaction_read_only", "1")),
    HostileDefaults("tx_read_only", ("tx_read_only", "1")),
    HostileDefaults("time_zone", ("time_zone", "'-11:00'")),
    HostileDefaults("old_mode", ("old_mode", "'ZERO_DATE_TIME_CAST'")),
    HostileDefaults("div_precision_increment", ("div_precision_increment", "0")),
  ]
}

// The settings are the server's: Tests/Stack/unit.sh runs this suite when no other one runs.
@Suite(.needsServer, .database, .serialized) struct SessionTests {
  private let admin: Stores

  init() throws { admin = try Stores() }

  /// Runs `body` with stores of an account without SUPER, in sessions that begin with those defaults.
  private func with(_ defaults: HostileDefaults, _ body: (Stores) throws -> Void) throws {
    let user = "plain_" + Randomness.system.hexadecimal(bytes: 6)
    try admin.connection.run("CREATE USER \(user)@localhost IDENTIFIED BY 'a password'")
    try admin.connection.run("GRANT ALL ON \(TestDatabase.current.name).* TO \(user)@localhost")
    defer { try? admin.connection.run("DROP USER \(user)@localhost") }
    var options = TestDatabase.current.options
    (options.user, options.password) = (user, "a password")
    var before: [(String, MySQLValue)] = []
    defer {
      for (name, value) in before {
        _ = try? admin.connection.execute("SET GLOBAL \(name) = ?", [value])
      }
    }
    for (name, hostile) in defaults.settings {
      let value = try admin.connection.queryRow("SELECT @@GLOBAL.\(name)")?.values[0] ?? .null
      before.append((name, value))
      try admin.connection.run("SET GLOBAL \(name) = \(hostile)")
    }
    try body(try Stores(options: options))
  }

  /// MySQL and MariaDB have settings, and names of settings, that the other one lacks.
  private func isKnown(_ defaults: HostileDefaults) throws -> Bool {
    for (name, hostile) in defaults.settings {
      let known = "SHOW GLOBAL VARIABLES LIKE '\(name)'"
      guard try admin.connection.queryRow(known) != nil else { return false }
      guard hostile == "'ORACLE'" else { continue }
      return try admin.connection.queryRow("SELECT VERSION() LIKE '%MariaDB%'")?.int(0) == 1
    }
    return true
  }

  @Test(
    "§2 R13.5 a call with its names, times, means and counts, whatever the server's defaults",
    arguments: HostileDefaults.all)
  private func defaults(_ defaults: HostileDefaults) throws {
    guard try isKnown(defaults) else { return }
    try with(defaults) { stores throws in
      let suffix = Randomness.system.hexadecimal(bytes: 4)
      let (caller, callee) = ("caller-😀-\(suffix)", "callee-é-\(suffix)")
      let name = "Zoë 😀 \\ \"q\" 'a' || b"
      for id in [caller, callee] {
        try stores.people.add(Person(id: id, username: "u", fullName: name, avatar: nil))
      }
      try stores.people.setContact(of: caller, to: callee, .accepted)
      let before = Timestamp.now()
      let made = try stores.calls.initiate(
        from: caller, to: callee, type: .video, idempotencyKey: nil)
      let call = made.details.call
      #expect(made.details.callee == Party(id: callee, name: name, avatar: nil))
      #expect(abs(call.createdAt.milliseconds - before.milliseconds) < 120_000)
      let invitation = try #require(try stores.events(callee).first)
      #expect(String(decoding: invitation.data, as: UTF8.self).contains("Zoë 😀"))
      _ = try stores.calls.accept(call.id, by: callee, from: Origin(device: "d😀"))
      try record(stores, call.id, caller, .excellent, 0.1)
      try record(stores, call.id, caller, .good, 0.2)
      try record(stores, call.id, callee, .good, 0.2)
      _ = try stores.calls.end(call.id, by: caller, reason: .hangup, from: Origin())
      try check(stores, call.id, caller, callee, name)
    }
  }

  /// MariaDB's, on by default since 11.6.2.
  @Test("§2 a statement that waited for a row takes it as it is by then: no snapshot isolation")
  func waited() throws {
    let snapshots = HostileDefaults("snapshots", ("innodb_snapshot_isolation", "1"))
    let known = "SHOW GLOBAL VARIABLES LIKE 'innodb_snapshot_isolation'"
    guard try admin.connection.queryRow(known) != nil else { return }
    let (id, other) = try admin.pair()
    try with(snapshots) { _ throws in
      let database = TestDatabase.current
      let outcome = Mutex<Result<Void, any Error>?>(nil)
      try admin.connection.run("START TRANSACTION")
      try admin.connection.execute("UPDATE users SET full_name = 'N' WHERE id = ?", [.text(id)])
      let reader = try Thread.start(name: "reader") {
        let read = Result {
          try database.connect().run(
            """
            SELECT (SELECT full_name FROM users WHERE id = '\(other)')
            FROM users WHERE id = '\(id)' FOR UPDATE
            """)
        }
        outcome.withLock { $0 = read }
      }
      let waits = """
        SELECT 1 FROM information_schema.innodb_trx
        WHERE trx_state = 'LOCK WAIT' AND trx_query LIKE '%\(id)%FOR UPDATE'
        """
      while outcome.withLock({ $0 == nil }), try admin.connection.queryRow(waits) == nil {
        usleep(150_000)  // the table is made anew only where it was not read for 100 ms
      }
      try admin.connection.run("COMMIT")
      reader.join()
      #expect(throws: Never.self) { try outcome.withLock { $0 }?.get() }
    }
  }

  private func record(
    _ stores: Stores, _ callId: String, _ user: String, _ quality: NetworkQuality, _ loss: Double
  ) throws {
    var sample = QualitySample(networkQuality: quality)
    sample.packetLossRate = loss
    _ = try stores.quality.record(sample, callId: callId, by: user)
  }

  /// What another session, with the usual defaults, finds.
  private func check(
    _ stores: Stores, _ callId: String, _ caller: String, _ callee: String, _ name: String
  ) throws {
    for stores in [stores, admin] {
      let over = try stores.calls.details(callId, for: callee)
      #expect(over.call.status == .ended)
      #expect(over.call.acceptedDevice == "d😀")
      #expect(over.caller.name == name)
      let (score, loss) = (over.call.quality.averageScore, over.call.quality.averagePacketLossRate)
      #expect(abs(try #require(score) - 13.0 / 3) < 1e-9)
      #expect(abs(try #require(loss) - 0.5 / 3) < 1e-9)
      #expect(over.call.quality.samples == 3)
      #expect(try stores.historyOf(caller).first?.remote?.name == name)
      #expect(try stores.calls.active(of: caller) == nil)
      let statistics = try stores.statistics.statistics(of: callee, over: .day).statistics
      #expect(statistics.totalCalls == 1)
    }
    try Consistency.check(admin.connection)
  }
}
