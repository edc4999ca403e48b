// Connections that are killed before, in the middle of and between transactions: the work is done
// once, or the database counts as unavailable, and never is half of a change there (design §2).

import Calls
import Glibc
import MySQL
import Synchronization
import System
import TestServers
import Testing

@testable import Storage

@Suite(.needsServer, .database) struct ConnectionLossTests {
  private let stores: Stores
  private let killer: MySQLConnection

  init() throws {
    stores = try Stores()
    killer = try TestDatabase.current.connect()
  }

  private func id(_ connection: MySQLConnection) throws -> Int64 {
    try connection.queryRow("SELECT CONNECTION_ID()")?.int(0) ?? 0
  }

  /// Ends a connection and waits until the server has forgotten it.
  private func kill(_ id: Int64) throws {
    try killer.run("KILL CONNECTION \(id)")
    let alive = "SELECT COUNT(*) FROM information_schema.processlist WHERE id = ?"
    while try killer.queryRow(alive, [.int(id)])?.int(0) != 0 { usleep(1000) }
  }

  private func killIdle() throws { try kill(try stores.database.read { try id($0) }) }

  private func rows(_ name: String) throws -> Int {
    try stores.count("SELECT COUNT(*) FROM users WHERE username = ?", [.text(name)])
  }

  private func insert(_ connection: MySQLConnection, _ name: String) throws {
    try connection.execute(
      "INSERT INTO users (id, username) VALUES (?, ?)",
      [.text(Randomness.system.hexadecimal(bytes: 8)), .text(name)])
  }

  @Test func aConnectionThatWasKilledWhileIdleIsMadeAgainUnnoticed() throws {
    let (caller, callee) = try stores.pair()
    try killIdle()
    let call = try stores.ring(caller, callee)
    try killIdle()
    try stores.calls.markRinging(call.id)
    try killIdle()
    _ = try stores.calls.accept(call.id, by: callee, from: Origin())
    try killIdle()
    _ = try stores.quality.record(
      QualitySample(networkQuality: .bad), callId: call.id, by: caller)
    try killIdle()
    #expect(try stores.outbox.snapshot(of: caller).activeCall?.call.id == call.id)
    try killIdle()
    _ = try stores.calls.end(call.id, by: caller, reason: .hangup, from: Origin())
    try killIdle()
    #expect(try stores.historyOf(callee).count == 1)
    try killIdle()
    try stores.history.delete(call.id, of: callee)
    try killIdle()
    #expect(try stores.statistics.statistics(of: callee, over: .day).statistics.totalCalls == 1)
    try killIdle()
    _ = try stores.sweeper().sweep()
    try killIdle()
    #expect(stores.database.ping())
    try Consistency.check(stores.connection, keepsAllHistory: false)
  }

  @Test func aTransactionThatIsCutOffRunsAgainFromTheBeginning() throws {
    _ = stores.database.ping()
    let name = Randomness.system.hexadecimal(bytes: 8)
    var runs = 0
    try stores.database.transaction { connection in
      runs += 1
      try insert(connection, name)
      if runs == 1 { try kill(try id(connection)) }
      try insert(connection, name)
    }
    #expect(runs == 2)
    #expect(try rows(name) == 2)
  }

  @Test func aTransactionThatIsCutOffTwiceIsUnavailableAndLeavesNothing() throws {
    _ = stores.database.ping()
    let before = try stores.count("SELECT COUNT(*) FROM token_audit")
    #expect {
      try stores.database.transaction { connection in
        try connection.execute(
          """
          INSERT INTO token_audit (user_id, channel_id, action, role, uid, request_id, issued_at,
            expires_at) VALUES ('u', 'c', 'generate', 'publisher', 1, 'r', NOW(), NOW())
          """)
        try kill(try id(connection))
        _ = try connection.query("SELECT 1")
      }
    } throws: { ($0 as? MySQLError)?.isUnavailable == true }
    #expect(try stores.count("SELECT COUNT(*) FROM token_audit") == before)
    #expect(stores.database.ping())
  }

  @Test func aConnectionThatBreaksAtTheCommitIsUnavailableAndNotRunAgain() throws {
    _ = stores.database.ping()
    var runs = 0
    #expect {
      try stores.database.transaction { connection in
        runs += 1
        try connection.execute("INSERT INTO user_lines (user_id) VALUES ('commit')")
        try kill(try id(connection))
      }
    } throws: { ($0 as? MySQLError)?.isUnavailable == true }
    #expect(runs == 1)
    #expect(try stores.line("commit") == nil)
    #expect(try stores.count("SELECT COUNT(*) FROM user_lines WHERE user_id = 'commit'") == 0)
  }

  @Test("R3.4 a token has one row, although its statement runs again after a lost answer")
  func aTokenIsAuditedOnce() throws {
    let (caller, callee) = try stores.pair()
    let call = try stores.ring(caller, callee)
    let now = Timestamp.now()
    var entry = TokenAudit.Entry(
      userId: caller, channelId: call.channelId, action: .generate, role: "publisher",
      oldTokenPrefix: nil, requestId: "with-a-call", issuedAt: now,
      expiresAt: now.adding(seconds: 60))
    for _ in 1...2 {
      let outcome = try stores.audit.append(
        entry, where: TokenAudit.Condition(statuses: [.initiating]))
      #expect(outcome.isAudited)
    }
    entry.requestId = "without-a-call"
    for _ in 1...2 { try stores.audit.append(entry, callId: nil, uid: 7) }
    let rows = try stores.connection.query(
      "SELECT request_id, COUNT(*) FROM token_audit WHERE user_id = ? GROUP BY 1 ORDER BY 1",
      [.text(caller)])
    #expect(rows.map { $0.text(0) } == ["with-a-call", "without-a-call"])
    #expect(rows.map { $0.int(1) } == [1, 1])
  }

  @Test func aConflictRunsAgainAFewTimes() throws {
    var runs = 0
    let name = Randomness.system.hexadecimal(bytes: 8)
    let deadlock = "SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213"
    let result = try stores.database.transaction { connection -> String in
      runs += 1
      try insert(connection, name)
      if runs < 4 { try connection.run(deadlock) }
      return "through"
    }
    #expect(result == "through")
    #expect(runs == 4)
    #expect(try rows(name) == 1)
    runs = 0
    let before = try stores.count("SELECT COUNT(*) FROM contacts WHERE user_id = 'conflict'")
    #expect {
      try stores.database.transaction { connection in
        runs += 1
        try connection.execute("INSERT INTO contacts VALUES ('conflict', 'x', 'PENDING')")
        try connection.run(deadlock)
      }
    } throws: { ($0 as? MySQLError)?.isConflict == true }
    #expect((2...20).contains(runs))
    #expect(
      try stores.count("SELECT COUNT(*) FROM contacts WHERE user_id = 'conflict'") == before)
  }

  @Test func whatTheBodyThrowsRollsBack() throws {
    struct Stop: Error {}
    #expect(throws: Stop.self) {
      try stores.database.transaction { connection in
        try connection.execute("INSERT INTO user_lines (user_id) VALUES ('stop')")
        throw Stop()
      }
    }
    #expect(try stores.count("SELECT COUNT(*) FROM user_lines WHERE user_id = 'stop'") == 0)
  }

  @Test func withoutAServerItIsUnavailable() throws {
    var options = TestDatabase.current.options
    options.socket = "/nonexistent/mariadb.sock"
    let database = Database(options)
    #expect(!database.ping())
    #expect { try database.transaction { _ in } } throws: {
      ($0 as? MySQLError)?.isUnavailable == true
    }
  }
}
