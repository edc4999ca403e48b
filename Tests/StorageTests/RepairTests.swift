// What an administrator may have done to the tables, and the next call has to live with.

import Calls
import MySQL
import System
import TestServers
import Testing

@testable import Storage

// One at a time: each damages what the others hold to be whole.
@Suite(.needsServer, .database, .serialized) struct RepairTests {
  private let stores: Stores

  init() throws { stores = try Stores() }

  @Test("R1.5 R13.4 nobody stays busy with a call that was deleted")
  func deletedCall() throws {
    let users = try stores.users("one", "two", "three")
    let call = try stores.connect(users[0], users[1])
    try stores.connection.execute("DELETE FROM calls WHERE id = ?", [.text(call.id)])
    #expect(try stores.calls.active(of: users[0]) == nil)
    #expect(try stores.outbox.snapshot(of: users[1]).activeCall == nil)
    #expect(
      refusal { _ = try stores.calls.end(call.id, by: users[0], reason: .hangup, from: Origin()) }
        == .notFound(.call))
    let next = try stores.ring(users[2], users[0])
    #expect(try stores.line(users[0]) == next.id)
    let other = try stores.users("four")[0]
    try stores.people.setContact(of: users[1], to: other, .accepted)
    _ = try stores.ring(users[1], other)
    try Consistency.check(stores.connection)
  }

  @Test("§6.2 a line that was lost is made anew and goes on where the events end")
  func lostLine() throws {
    let (caller, callee) = try stores.pair()
    let call = try stores.ring(caller, callee)
    _ = try stores.calls.end(call.id, by: caller, reason: .hangup, from: Origin())
    try stores.connection.execute("DELETE FROM user_lines WHERE user_id = ?", [.text(callee)])
    _ = try stores.calls.initiate(from: caller, to: callee, type: .video, idempotencyKey: "key")
    #expect(try stores.events(callee).map(\.eventId) == [1, 2, 3])
    #expect(try stores.outbox.snapshot(of: callee).lastEventId == 3)
    try Consistency.check(stores.connection)
  }

  @Test("§4 a duplicate that is not the key's is an error, not a replay for ever")
  func otherDuplicate() throws {
    let (caller, callee) = try stores.pair()
    let call = try stores.ring(caller, callee)
    _ = try stores.calls.end(call.id, by: caller, reason: .hangup, from: Origin())
    try stores.connection.execute(
      "UPDATE user_lines SET last_event_id = 0 WHERE user_id = ?", [.text(callee)])
    #expect {
      _ = try stores.calls.initiate(from: caller, to: callee, type: .video, idempotencyKey: "key")
    } throws: { ($0 as? MySQLError)?.isDuplicate == true }
    #expect(try stores.line(caller) == nil)
    try stores.connection.execute(
      "UPDATE user_lines SET last_event_id = 2 WHERE user_id = ?", [.text(callee)])
  }
}
