// One program at a time migrates a Galera cluster, where GET_LOCK is a node's own (MariaDB, "MariaDB Galera
// Cluster: Known Limitations"): a lease in a table. Of two nodes that take it at once certification lets one
// through. A thread renews it while it is held, and one whose holder died runs out.

import Glibc
import MySQL
import Synchronization
import System

final class MigrationLease {
  private static let leaseSeconds = 30
  private static let renewalMilliseconds: Int64 = 5000
  /// As long as GET_LOCK waits.
  private static let patienceMilliseconds: Int64 = 60_000

  /// What the thread and its owner tell each other.
  private final class Shared: Sendable {
    let isOver = Atomic<Bool>(false)
    let isLost = Atomic<Bool>(false)
  }

  private static let untilExpiry =
    "expires_at = UTC_TIMESTAMP(3) + INTERVAL \(leaseSeconds) SECOND"

  private let holder: String
  private let connection: MySQLConnection
  private let shared = Shared()
  private var thread: Thread?

  /// Waits for it.
  /// - Parameter options: What the thread that renews it connects with.
  /// - Returns: nil where the server is no cluster's node.
  /// - Throws: `MySQLError`, `MigrationError.lockTimeout`, `SystemError`.
  static func take(_ connection: MySQLConnection, _ options: MySQLOptions) throws -> MigrationLease?
  {
    let isOn = try connection.queryRow("SHOW VARIABLES LIKE 'wsrep_on'")?.text(1)
    guard isOn == "ON" else { return nil }
    let lease = MigrationLease(connection)
    try lease.wait()
    try lease.keep(options)
    return lease
  }

  /// Whether a program has it and renews it.
  /// - Throws: `MySQLError`.
  static func isHeld(_ connection: MySQLConnection) throws -> Bool {
    try !connection.queryIfTableExists(
      "SELECT 1 FROM schema_lease WHERE holder <> '' AND expires_at > UTC_TIMESTAMP(3)"
    ).isEmpty
  }

  private init(_ connection: MySQLConnection) {
    self.connection = connection
    holder = Randomness.system.hexadecimal(bytes: 16)
  }

  private func wait() throws {
    try connection.run(
      """
      CREATE TABLE IF NOT EXISTS schema_lease (
        id TINYINT NOT NULL PRIMARY KEY, holder VARCHAR(32) NOT NULL, attempts INT UNSIGNED NOT NULL,
        expires_at DATETIME(3) NOT NULL) ENGINE = InnoDB
      """)
    let begin = MonotonicClock.milliseconds()
    while true {
      _ = try changed("INSERT IGNORE INTO schema_lease VALUES (1, '', 0, UTC_TIMESTAMP(3))", [])
      if try isTaken(where: "holder = ''") { return }
      // A statement that changes a schema holds up every other of the cluster, the holder's renewal too:
      // this one waits for its end, and then the holder has a second.
      _ = try changed("UPDATE schema_lease SET attempts = (attempts + 1) % 1000", [])
      usleep(1_000_000)
      if try isTaken(where: "expires_at < UTC_TIMESTAMP(3)") { return }
      guard MonotonicClock.milliseconds() - begin < Self.patienceMilliseconds else {
        throw MigrationError.lockTimeout
      }
    }
  }

  private func isTaken(where condition: String) throws -> Bool {
    try changed(
      """
      UPDATE schema_lease SET holder = ?, \(Self.untilExpiry) WHERE id = 1 AND \(condition)
      """, [.text(holder)])
  }

  /// - Returns: false also where another node's change came first.
  private func changed(_ sql: String, _ values: [MySQLValue]) throws -> Bool {
    do throws(MySQLError) { return try connection.execute(sql, values) > 0 } catch {
      guard error.isConflict else { throw error }
      return false
    }
  }

  private func keep(_ options: MySQLOptions) throws {
    let (shared, holder) = (shared, holder)
    thread = try Thread.start(name: "lease") {
      var connection: MySQLConnection?
      var nextAt = MonotonicClock.milliseconds() + Self.renewalMilliseconds
      while !shared.isOver.load(ordering: .relaxed) {
        usleep(20_000)
        guard MonotonicClock.milliseconds() >= nextAt else { continue }
        do throws(MySQLError) {
          if connection == nil {
            var nodes = MySQLNodes(options)
            connection = try nodes.connect()
          }
          let count = try connection!.execute(
            "UPDATE schema_lease SET \(Self.untilExpiry) WHERE id = 1 AND holder = ?",
            [.text(holder)])
          if count == 0 { shared.isLost.store(true, ordering: .relaxed) }
          nextAt = MonotonicClock.milliseconds() + Self.renewalMilliseconds
        } catch { if !error.isConflict { connection = nil } }
      }
    }
  }

  /// - Throws: `MigrationError.lockTimeout` where another program has taken it.
  func check() throws(MigrationError) {
    if shared.isLost.load(ordering: .relaxed) { throw .lockTimeout }
  }

  func release() {
    shared.isOver.store(true, ordering: .relaxed)
    thread?.join()
    for _ in 0..<10 {
      let isDone = try? changed(
        "UPDATE schema_lease SET holder = '' WHERE id = 1 AND holder = ?", [.text(holder)])
      if isDone != false { return }
    }
  }
}
