// The schema as the server describes it (R13).

import Calls
import MySQL
import System
import TestServers
import Testing

@testable import Storage

@Suite(.needsServer, .database) struct SchemaTests {
  private let stores: Stores

  init() throws { stores = try Stores() }

  /// The first columns of a table's indexes.
  private func leadingColumns(_ table: String) throws -> Set<String> {
    Set(
      try stores.connection.query(
        """
        SELECT column_name FROM information_schema.statistics
        WHERE table_schema = DATABASE() AND table_name = ? AND seq_in_index = 1
        """, [.text(table)]
      ).map { $0.text(0) })
  }

  @Test("R13.1 calls is indexed on caller_id, callee_id, status and channel_id")
  func calls() throws {
    #expect(
      try leadingColumns("calls").isSuperset(
        of: ["caller_id", "callee_id", "status", "channel_id"]))
  }

  @Test("R13.2 call_history is indexed on user_id and timestamp")
  func history() throws {
    #expect(try leadingColumns("call_history").isSuperset(of: ["user_id", "timestamp"]))
  }

  @Test("R13.3 call_quality_metrics is indexed on call_id and recorded_at")
  func quality() throws {
    #expect(
      try leadingColumns("call_quality_metrics").isSuperset(of: ["call_id", "recorded_at"]))
  }

  @Test("R13.4 deleting a call deletes its quality metrics, and no others")
  func cascade() throws {
    let (caller, callee) = try stores.pair()
    let call = try stores.connect(caller, callee)
    let users = try stores.users("x", "y")
    let other = try stores.connect(users[0], users[1])
    for call in [call, other] {
      for quality in NetworkQuality.allCases {
        _ = try stores.quality.record(
          QualitySample(networkQuality: quality), callId: call.id, by: call.callerId)
      }
    }
    let count = "SELECT COUNT(*) FROM call_quality_metrics WHERE call_id = ?"
    #expect(try stores.count(count, [.text(call.id)]) == 6)
    try stores.connection.execute("DELETE FROM calls WHERE id = ?", [.text(call.id)])
    #expect(try stores.count(count, [.text(call.id)]) == 0)
    #expect(try stores.count(count, [.text(other.id)]) == 6)
    try stores.connection.execute(
      "UPDATE user_lines SET call_id = NULL WHERE call_id = ?", [.text(call.id)])
  }

  @Test("R13.5 every time is a DATE or DATETIME, and what is stored is UTC")
  func utc() throws {
    let types = try stores.connection.query(
      """
      SELECT DISTINCT data_type FROM information_schema.columns
      WHERE table_schema = DATABASE() AND (column_name LIKE '%\\_at' OR column_name = 'timestamp')
      """
    ).map { $0.text(0) }
    #expect(types == ["datetime"])
    let (caller, callee) = try stores.pair()
    let call = try stores.ring(caller, callee)
    let abroad = try TestDatabase.current.connect()
    try abroad.run("SET SESSION time_zone = '+05:30'")
    let row = try abroad.queryRow(
      "SELECT TIMESTAMPDIFF(SECOND, created_at, UTC_TIMESTAMP()) FROM calls WHERE id = ?",
      [.text(call.id)])
    #expect((0...120).contains(row?.int(0) ?? -1))
    #expect(abs(Timestamp.now().milliseconds - call.createdAt.milliseconds) < 120_000)
  }

  @Test("R13.1 every table is InnoDB, and user ids are compared byte for byte")
  func engines() throws {
    #expect(
      try stores.count(
        """
        SELECT COUNT(*) FROM information_schema.tables
        WHERE table_schema = DATABASE() AND engine <> 'InnoDB'
        """) == 0)
    #expect(
      try stores.count(
        """
        SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE()
          AND column_name IN ('user_id', 'caller_id', 'callee_id', 'remote_user_id',
            'contact_user_id') AND collation_name <> 'utf8mb4_bin'
        """) == 0)
  }

  @Test("R8.1 a status, a type or a reason that the rules do not know cannot be stored")
  func enumerations() throws {
    let (caller, callee) = try stores.pair()
    let call = try stores.ring(caller, callee)
    for (column, words) in [
      ("status", CallStatus.allCases.map(\.rawValue)),
      ("call_type", CallType.allCases.map(\.rawValue)),
      ("end_reason", EndReason.allCases.map(\.rawValue)),
    ] {
      let type = try stores.connection.queryRow(
        """
        SELECT column_type FROM information_schema.columns
        WHERE table_schema = DATABASE() AND table_name = 'calls' AND column_name = ?
        """, [.text(column)])
      let known = "enum(" + words.map { "'\($0)'" }.joined(separator: ",") + ")"
      #expect(type?.text(0) == known)
      #expect(throws: MySQLError.self) {
        try stores.connection.execute(
          "UPDATE calls SET \(column) = 'nonsense' WHERE id = ?", [.text(call.id)])
      }
    }
  }
}
