// What goes when its time is up, and what stays (contract §6.4, design §6).

import Calls
import MySQL
import System
import TestServers
import Testing

@testable import Storage

@Suite(.needsServer, .database, .serialized) struct RetentionTests {
  private let stores: Stores

  init() throws { stores = try Stores() }

  private func retention(quality: Int = 0, audit: Int = 0) -> Retention {
    Retention(stores.database, RetentionSettings(qualityDays: quality, auditDays: audit))
  }

  /// A table of the numbers from 1 to `last`, at most 10,000. MySQL has no sequence engine.
  private static func sequence(_ last: Int) -> String {
    let digits = (0...9).map { "SELECT \($0) AS n" }.joined(separator: " UNION ALL ")
    return """
      (SELECT 1 + a.n + 10 * b.n + 100 * c.n + 1000 * d.n AS seq FROM (\(digits)) a
       JOIN (\(digits)) b JOIN (\(digits)) c JOIN (\(digits)) d HAVING seq <= \(last)) numbers
      """
  }

  private func fill(_ table: String, hoursAgo: Int, rows: Int) throws {
    let time = "UTC_TIMESTAMP(3) - INTERVAL \(hoursAgo) HOUR - INTERVAL 1 MINUTE"
    let sequence = Self.sequence(rows)
    switch table {
    case "call_events":
      try stores.connection.run(
        """
        INSERT INTO call_events (user_id, event_id, call_id, event_type, data, created_at)
        SELECT 'u\(hoursAgo)', seq, 'c', 'call_timeout', '{}', \(time) FROM \(sequence)
        """)
    case "token_audit":
      try stores.connection.run(
        """
        INSERT INTO token_audit (user_id, channel_id, action, role, uid, request_id, issued_at,
          expires_at)
        SELECT 'u', 'c', 'generate', 'publisher', 1, seq, \(time), \(time) FROM \(sequence)
        """)
    default:
      let (caller, callee) = try stores.pair()
      let call = try stores.connect(caller, callee)
      try stores.connection.run(
        """
        INSERT INTO call_quality_metrics (call_id, user_id, network_quality, recorded_at)
        SELECT '\(call.id)', 'u', 'good', \(time) FROM \(sequence)
        """)
    }
  }

  private func ages(_ table: String, _ column: String) throws -> [Int64: Int] {
    let rows = try stores.connection.query(
      """
      SELECT TIMESTAMPDIFF(HOUR, \(column), UTC_TIMESTAMP()), COUNT(*) FROM \(table) GROUP BY 1
      """)
    return Dictionary(uniqueKeysWithValues: rows.map { ($0.int(0), Int($0.int(1))) })
  }

  @Test("§6.4 events are kept for 24 h")
  func events() throws {
    try stores.connection.run("DELETE FROM call_events")
    try fill("call_events", hoursAgo: 24, rows: 30)
    try fill("call_events", hoursAgo: 23, rows: 20)
    #expect(try retention().purge(batches: 1) == 30)
    #expect(try ages("call_events", "created_at") == [23: 20])
    #expect(try retention().purge(batches: 1) == 0)
  }

  @Test func samplesAndAuditRowsGoAfterTheirDaysOrNever() throws {
    try fill("call_quality_metrics", hoursAgo: 48, rows: 10)
    try fill("call_quality_metrics", hoursAgo: 47, rows: 10)
    try fill("token_audit", hoursAgo: 72, rows: 10)
    try fill("token_audit", hoursAgo: 71, rows: 10)
    #expect(try retention().purge(batches: 4) == 0)
    #expect(try retention(quality: 2).purge(batches: 4) == 10)
    #expect(try ages("call_quality_metrics", "recorded_at") == [47: 10])
    #expect(try retention(audit: 3).purge(batches: 4) == 10)
    #expect(try ages("token_audit", "issued_at") == [71: 10])
  }

  @Test func manyGoInBatches() throws {
    try stores.connection.run("DELETE FROM call_events")
    try fill("call_events", hoursAgo: 30, rows: 1300)
    #expect(try retention().purge(batches: 1) == 500)
    #expect(try retention().purge(batches: 2) == 800)
    #expect(try retention().purge(batches: 2) == 0)
  }

  @Test(
    "§6.4 a sweeper that is called a few times a second keeps up with a thousand events a second")
  func sweeperKeepsUp() throws {
    try stores.connection.run("DELETE FROM call_events")
    try fill("call_events", hoursAgo: 25, rows: 9000)
    let sweeper = stores.sweeper()
    var now = Timestamp.now()
    var purged = 0
    for _ in 0..<8 {
      purged += try sweeper.sweep(now: now).purged
      now.milliseconds += 250
    }
    #expect(purged == 9000)
    // With nothing left it looks again after a minute.
    try fill("call_events", hoursAgo: 26, rows: 10)
    #expect(try sweeper.sweep(now: now).purged == 0)
    #expect(try sweeper.sweep(now: now.adding(seconds: 60)).purged == 10)
  }
}
