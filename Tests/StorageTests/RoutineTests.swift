// The stored procedures: made by the migration, made again where a dump lost them, versioned by name.

import Calls
import MySQL
import System
import TestServers
import Testing

@testable import Storage

// One at a time: each takes procedures away that the others call.
@Suite(.needsServer, .database, .serialized) struct RoutineTests {
  private let stores: Stores
  private let routines: Routines

  init() throws {
    stores = try Stores()
    routines = try Routines(folder: "\(TestDatabase.sqlFolder)/routines")
  }

  private func names() throws -> Set<String> {
    let rows = try stores.connection.query(
      "SELECT routine_name FROM information_schema.routines WHERE routine_schema = DATABASE()")
    return Set(rows.map { $0.text(0) })
  }

  private func callOnce() throws {
    let (caller, callee) = try stores.pair()
    let call = try stores.connect(caller, callee)
    #expect(
      try stores.calls.end(call.id, by: caller, reason: .hangup, from: Origin()).status == .ended)
  }

  @Test("every procedure that the program calls has its file, and no file is left over")
  func files() throws {
    let called = [
      Routine.lockCall, Routine.writeCall, Routine.initiateCall, Routine.recordCall,
      Routine.recordQuality, Routine.issueToken, Routine.deleteHistory,
      Routine.seeHistory, Routine.lockChannel, Routine.recordNotice,
    ].map { String($0.dropFirst("CALL ".count).prefix { $0 != "(" }) }
    #expect(try names() == Set(called + ["make_lines_1", "close_call_1", "record_webhooks_1"]))
  }

  @Test("a dump without routines loses them: they are made again, and only they")
  func lost() throws {
    try callOnce()
    for name in ["write_call_1", "close_call_1"] {
      try stores.connection.run("DROP PROCEDURE \(name)")
    }
    let (caller, callee) = try stores.pair()
    let call = try stores.ring(caller, callee)
    #expect { try stores.calls.accept(call.id, by: callee, from: Origin()) } throws: {
      ($0 as? MySQLError)?.isRoutineMissing == true
    }
    #expect(
      try Set(routines.apply(stores.connection)) == ["write_call_1", "close_call_1"])
    #expect(try routines.apply(stores.connection) == [])
    #expect(try stores.calls.accept(call.id, by: callee, from: Origin()).status == .connecting)
    try callOnce()
    try Consistency.check(stores.connection)
  }

  @Test("the sweeper makes lost procedures again while the service runs")
  func sweeperMakesThem() throws {
    let sweeper = Sweeper(
      stores.database, hints: Hints(redis: nil),
      retention: RetentionSettings(qualityDays: 0, auditDays: 0), absenceSeconds: 20,
      routines: routines)
    for name in try names() { try stores.connection.run("DROP PROCEDURE \(name)") }
    _ = try sweeper.sweep()
    try callOnce()
  }

  @Test(
    "a procedure of this name and another text is replaced by the migration, not by the sweeper")
  func changed() throws {
    let other = """
      CREATE PROCEDURE delete_history_1(IN a VARCHAR(64), IN b CHAR(36)) COMMENT 'other' SELECT 0
      """
    try stores.connection.run("DROP PROCEDURE delete_history_1")
    try stores.connection.run(other)
    #expect(try routines.apply(stores.connection, onlyMissing: true) == [])
    #expect(try routines.apply(stores.connection) == ["delete_history_1"])
    try callOnce()
  }

  @Test(
    "R1.2 first calls of many users who call one another at once: one call each, no deadlock shown")
  func firstCalls() throws {
    let ids = (0..<24).map { "first-\($0)-\(Randomness.system.hexadecimal(bytes: 4))" }
    for id in ids {
      try stores.people.add(Person(id: id, username: id, fullName: nil, avatar: nil))
      for other in ids where other != id {
        try stores.people.setContact(of: id, to: other, .accepted)
      }
    }
    let outcomes = try race(threads: 8) { _, thread, stores in
      var made = 0
      for round in 0..<30 {
        let caller = ids[(thread * 3 + round) % ids.count]
        let callee = ids[(thread * 3 + round * 7 + 1) % ids.count]
        if caller == callee { continue }
        do {
          _ = try stores.ring(caller, callee)
          made += 1
        } catch CallError.userBusy {}
      }
      return made
    }[0]
    let made = try outcomes.map { try $0.get() }.reduce(0, +)
    #expect(made > 0)
    let live = try stores.calls.live(limit: 1000).filter { ids.contains($0.callerId) }
    #expect(live.count == made)
    try Consistency.check(stores.connection)
  }
}
