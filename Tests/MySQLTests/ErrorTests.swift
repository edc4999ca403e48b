// What kind of failure an error is: what may be tried again, and what may not.

import Glibc
import MySQL
import Synchronization
import System
import TestServers
import Testing

@Suite(.needsServer, .emptyDatabase) struct ErrorTests {
  private let database: TestDatabase
  private let one: MySQLConnection
  private let other: MySQLConnection
  private let table: String

  init() throws {
    database = TestDatabase.current
    one = try database.connect()
    other = try database.connect()
    table = "t_" + Randomness.system.hexadecimal(bytes: 6)
    try one.run("CREATE TABLE \(table) (n INT PRIMARY KEY, v INT) ENGINE = InnoDB")
    try one.execute("INSERT INTO \(table) VALUES (1, 0), (2, 0)")
  }

  private func update(_ connection: MySQLConnection, _ row: Int) throws {
    try connection.execute("UPDATE \(table) SET v = v + 1 WHERE n = ?", [.int(row)])
  }

  @Test func aDuplicateIsADuplicate() {
    let error = failure { try one.execute("INSERT INTO \(table) VALUES (1, 1)") }
    #expect(error?.code == 1062)
    #expect(error?.state == "23000")
    #expect(error?.isDuplicate == true)
    #expect(error?.isConflict == false)
    #expect(error?.isUnavailable == false)
  }

  @Test func aDeadlockIsAConflict() throws {
    let errors = Mutex<[UInt32]>([])
    let (database, table) = (database, table)
    let start = Atomic<Int>(0)
    let threads = try [[1, 2], [2, 1]].map { rows in
      try Thread.start(name: "deadlock") {
        do {
          let connection = try database.connect()
          try connection.run("START TRANSACTION")
          for row in rows {
            try connection.execute("UPDATE \(table) SET v = v + 1 WHERE n = ?", [.int(row)])
            start.add(1, ordering: .sequentiallyConsistent)
            while start.load(ordering: .sequentiallyConsistent) < 2 { usleep(1000) }
          }
          try connection.run("COMMIT")
        } catch let error as MySQLError {
          #expect(error.isConflict)
          #expect(!error.isUnavailable)
          errors.withLock { $0.append(error.code) }
        } catch { Issue.record(error) }
      }
    }
    for thread in threads { thread.join() }
    #expect(errors.withLock { $0 } == [1213])
  }

  @Test func aLockTimeoutIsAConflict() throws {
    try one.run("START TRANSACTION")
    try update(one, 1)
    try other.run("SET SESSION innodb_lock_wait_timeout = 1")
    let error = failure { try update(other, 1) }
    #expect(error?.code == 1205)
    #expect(error?.isConflict == true)
    #expect(error?.isUnavailable == false)
    try one.run("ROLLBACK")
    try update(other, 1)
  }

  @Test("An error in the midst of a result's rows ends them, and nothing more is waited for")
  func aLockTimeoutBetweenRows() throws {
    try one.run("START TRANSACTION")
    try update(one, 2)
    try other.run("SET SESSION innodb_lock_wait_timeout = 1")
    let select = "SELECT n FROM \(table) FORCE INDEX (PRIMARY) ORDER BY n FOR UPDATE"
    // The shortest, as the machine may stand still during one.
    var shortest = Int64.max
    for _ in 0..<2 {
      let started = MonotonicClock.milliseconds()
      let error = failure { _ = try other.query(select) }
      #expect(error?.code == 1205)
      shortest = min(shortest, MonotonicClock.milliseconds() - started)
    }
    #expect(shortest < 4000)
    #expect(try other.queryRow("SELECT 77")?.int(0) == 77)
    try one.run("ROLLBACK")
    #expect(try other.query(select).map { $0.int(0) } == [1, 2])
  }

  @Test func aKilledConnectionIsUnavailable() throws {
    let id = try other.id
    try one.kill(id)
    for _ in 0..<2 {
      let error = failure { try update(other, 1) }
      #expect(error?.isUnavailable == true)
      #expect(error?.isConflict == false)
    }
    #expect(failure { try other.run("START TRANSACTION") }?.isUnavailable == true)
    #expect(failure { _ = try other.query("SELECT 77") }?.isUnavailable == true)
  }

  @Test func aConnectionKilledInTheMiddleOfAStatementIsUnavailable() throws {
    let connected = Mutex<Int64>(0)
    let database = database
    let thread = try Thread.start(name: "sleeper") {
      do {
        let connection = try database.connect()
        try connected.withLock { $0 = try connection.id }
        let error = failure { _ = try connection.query("SELECT SLEEP(20)") }
        #expect(error?.isUnavailable == true, "\(String(describing: error))")
      } catch { Issue.record(error) }
    }
    while connected.withLock({ $0 }) == 0 { usleep(1000) }
    usleep(100_000)
    try one.run("KILL CONNECTION \(connected.withLock { $0 })")
    thread.join()
  }

  @Test("What takes too long is ended by the server, and the connection lives on")
  func theServerEndsWhatTakesTooLong() throws {
    var options = database.options
    options.readTimeoutSeconds = 2
    let impatient = try MySQLConnection(options)
    let digits = (0...9).map { "SELECT \($0) AS n" }.joined(separator: " UNION ALL ")
    let numbers = (0..<9).map { "(\(digits)) d\($0)" }.joined(separator: " JOIN ")
    let error = failure { _ = try impatient.query("SELECT SUM(d0.n * d8.n) FROM \(numbers)") }
    #expect(error?.isStatementTimeout == true)
    #expect(error?.isUnavailable == false)
    #expect(try impatient.queryRow("SELECT 77")?.int(0) == 77)
  }

  @Test func aStatementThatTakesTooLongIsUnavailable() throws {
    var options = database.options
    options.readTimeoutSeconds = 1
    let impatient = try MySQLConnection(options)
    let started = MonotonicClock.milliseconds()
    let error = failure { _ = try impatient.query("SELECT SLEEP(60)") }
    #expect(error?.isUnavailable == true)
    #expect(MonotonicClock.milliseconds() - started < 50_000)
  }
}
