// A thread's way to MySQL: one connection that is made when it is first needed and made again, to another
// node of a cluster if need be, when it broke, and transactions that run again when InnoDB gave them up for another.

import Calls
import MySQL
import System

package final class Database {
  private var nodes: MySQLNodes
  /// Which requests to servers elsewhere the changes of calls are recorded for.
  package let recording: Recording
  private let counters: CounterSlot
  private var connection: MySQLConnection? { didSet { (usersKey, texts) = (nil, [:]) } }
  private var usersKey: UsersKey?
  private var texts: [StatementShape: String] = [:]
  private var usedAt: Int64 = 0
  private var checkedAt: Int64 = 0
  private var hasConnected = false
  /// No node could be connected to.
  private var isCutOff = false

  /// After this time without use a connection is looked at before it is used again.
  private static let idleMilliseconds: Int64 = 1000
  /// After this time a node of a cluster is asked whether it still takes writes, before it is used again.
  private static let checkMilliseconds: Int64 = 2000

  /// Conflicts after which a transaction is given up. Deadlocks are found at once; of lock time-outs,
  /// 5 s each, no more than a client waits for.
  private struct Conflicts {
    private var deadlocks = 0
    private var lockTimeouts = 0

    /// Counts one.
    /// - Returns: whether it is worth trying again.
    mutating func mayRetry(after error: MySQLError) -> Bool {
      if error.isLockTimeout || error.isStatementTimeout {
        lockTimeouts += 1
      } else {
        deadlocks += 1
      }
      return deadlocks < 10 && lockTimeouts < 3
    }
  }

  /// What is left to try where a connection serves no longer: its own node once more, and each other.
  private struct Reconnections {
    private var left: Int

    init(hasConnection: Bool, nodes: Int) { left = (hasConnection ? 1 : 0) + nodes - 1 }

    /// Counts one.
    mutating func mayReconnect() -> Bool {
      left -= 1
      return left >= 0
    }
  }

  /// - Parameters:
  ///   - recording: Which requests to servers elsewhere the changes of calls are recorded for.
  ///   - counters: Where changes of calls and failures are counted.
  package init(
    _ options: MySQLOptions, recording: Recording = [], counters: CounterSlot = .none
  ) {
    (nodes, self.recording, self.counters) = (MySQLNodes(options), recording, counters)
  }

  /// Whether the server does what a request needs: for `/readyz` (contract §7.14).
  package func ping() -> Bool { (try? checkWritable()) != nil }

  /// Tries a write that changes nothing: no user has an empty id, so no row is found, locked or logged. A
  /// server that is read-only, not primary or without the table refuses it all the same.
  /// - Throws: `MySQLError`.
  package func checkWritable() throws {
    try read { try $0.execute("UPDATE user_lines SET seen_at = NULL WHERE user_id = ''") }
  }

  /// Runs statements that change nothing, or that commit by themselves and may run twice. A
  /// connection that turns out to be dead, or whose node does not serve, is made again; after a conflict `body` runs again.
  /// - Throws: `MySQLError`, and what `body` throws.
  @discardableResult
  package func read<Result>(_ body: (MySQLConnection) throws -> Result) throws -> Result {
    var conflicts = Conflicts()
    var reconnections = Reconnections(hasConnection: connection != nil, nodes: nodes.count)
    while true {
      do {
        return try body(try open())
      } catch let error as MySQLError where error.isUnavailable {
        lose(error)
        guard !isCutOff, reconnections.mayReconnect() else { throw error }
      } catch let error as MySQLError where error.isConflict {
        counters.add(.mysqlConflict)
        guard conflicts.mayRetry(after: error) else { throw error }
      } catch let error as MySQLError {
        note(error)
        throw error
      }
    }
  }

  /// How `users` is joined; read once a connection.
  func usersKey(_ connection: MySQLConnection) throws -> UsersKey {
    if let usersKey { return usersKey }
    let read = try UsersKey(connection)
    usersKey = read
    return read
  }

  /// The text of a statement that joins `users`, put together once a connection.
  func text(
    of shape: StatementShape, _ connection: MySQLConnection, make: (UsersKey) -> String
  ) throws -> String {
    if let text = texts[shape] { return text }
    let made = make(try usersKey(connection))
    texts[shape] = made
    return made
  }

  /// Runs statements that read, all of them as of one moment (InnoDB's REPEATABLE READ), and that
  /// wait for nobody's locks.
  /// - Throws: `MySQLError`, and what `body` throws.
  package func snapshot<Result>(_ body: (MySQLConnection) throws -> Result) throws -> Result {
    try read { connection in
      try connection.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
      try connection.run("START TRANSACTION READ ONLY")
      do {
        let result = try body(connection)
        try connection.run("COMMIT")
        return result
      } catch {
        rollBack()
        throw error
      }
    }
  }

  /// Runs `body` in a transaction, from the beginning again after a conflict or where the
  /// connection broke before COMMIT was sent. What `body` throws rolls back.
  /// - Throws: `MySQLError`; unavailable during COMMIT means that the outcome is unknown.
  @discardableResult
  package func transaction<Result>(_ body: (MySQLConnection) throws -> Result) throws -> Result {
    try change { transaction in
      transaction.state = .open
      try transaction.connection.run("START TRANSACTION")
      let result = try body(transaction.connection)
      transaction.state = .written
      return result
    }
  }

  /// The same for a transaction that a routine opens and another one ends, so that neither takes a
  /// round trip of its own.
  /// - Throws: `MySQLError`; unavailable during the routine that commits means that the outcome is
  ///   unknown.
  func change<Result>(_ body: (Transaction) throws -> Result) throws -> Result {
    var conflicts = Conflicts()
    var reconnections = Reconnections(hasConnection: connection != nil, nodes: nodes.count)
    while true {
      var current: Transaction?
      do {
        let transaction = Transaction(try open(), recording: recording)
        current = transaction
        let result = try body(transaction)
        try transaction.end()
        transaction.count(in: counters)
        return result
      } catch let error as MySQLError where error.isUnavailable {
        lose(error)
        guard !isCutOff, current?.mayRunAgain(after: error) != false, reconnections.mayReconnect()
        else { throw error }
      } catch let error as MySQLError
        where error.isConflict || error.isStatementTimeout && current?.isCommitting != true
      {
        // In a transaction it is locks that take long.
        counters.add(.mysqlConflict)
        rollBack()
        guard conflicts.mayRetry(after: error) else { throw error }
      } catch {
        if let error = error as? MySQLError { note(error) }
        if current?.state != .closed { rollBack() }
        throw error
      }
    }
  }

  /// A rollback that fails leaves the connection in an unknown state: it is closed.
  private func rollBack() {
    do { try connection?.run("ROLLBACK") } catch { connection = nil }
  }

  /// A duplicate key is an answer.
  private func note(_ error: MySQLError) {
    if !error.isDuplicate { counters.add(.mysqlOther) }
  }

  private func lose(_ error: MySQLError) {
    counters.add(.mysqlUnavailable)
    connection = nil
    if !isCutOff { nodes.failed(error) }
  }

  private func open() throws(MySQLError) -> MySQLConnection {
    // A statement that commits is not sent twice, so it must not be what finds the connection closed.
    let now = MonotonicClock.milliseconds()
    defer { usedAt = now }
    if let connection, now - usedAt < Self.idleMilliseconds || !connection.isClosed {
      if nodes.count > 1, now - checkedAt >= Self.checkMilliseconds {
        try connection.checkNode()
        checkedAt = now
      }
      return connection
    }
    (connection, isCutOff) = (nil, true)
    let made = try nodes.connect()
    (connection, isCutOff, checkedAt) = (made, false, now)
    if hasConnected { counters.add(.mysqlReconnections) }
    hasConnected = true
    return made
  }
}
