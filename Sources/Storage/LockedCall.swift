// A call under lock, its participants' lines first and in the order of their ids: what every change of a
// call begins with (design §2).

import Calls
import MySQL
import System

struct LockedCall {
  let call: Call
  /// The transaction's time.
  let now: Timestamp
  /// Writes changes, with the lines in hand.
  var journal: CallJournal

  /// Waits for whoever holds any of it.
  /// - Throws: `CallError.notFound` where there is no such call any more.
  init(_ connection: MySQLConnection, _ callId: String, _ callerId: String, _ calleeId: String)
    throws
  {
    let lines = try UserLines.lock(connection, callerId, calleeId)
    guard let (call, now) = try Call.read(connection, callId, "FOR UPDATE") else {
      throw CallError.notFound(.call)
    }
    (self.call, self.now) = (call, now)
    journal = CallJournal(connection: connection, lines: lines)
  }

  /// The same without waiting.
  /// - Returns: nil where somebody else holds any of it, or some of it has been deleted.
  init?(
    ifFree connection: MySQLConnection, _ callId: String, _ callerId: String, _ calleeId: String
  ) throws {
    let lines = try UserLines.tryLock(connection, callerId, calleeId)
    guard lines.holds(callerId), lines.holds(calleeId),
      let (call, now) = try Call.read(connection, callId, "FOR UPDATE SKIP LOCKED")
    else { return nil }
    (self.call, self.now) = (call, now)
    journal = CallJournal(connection: connection, lines: lines)
  }

  /// Ends the call where its deadline has passed.
  /// - Returns: The call as it is then, and whom to hint; nobody where it was not due.
  mutating func expire() throws -> (call: Call, recipients: Set<UserKey>) {
    guard let change = call.overdue(at: now) else { return (call, []) }
    return (try journal.write(change, from: call.status), change.recipients)
  }
}

extension Call {
  /// A call and the server's time.
  /// - Parameter mode: How it is locked; not at all without one.
  static func read(_ connection: MySQLConnection, _ callId: String, _ mode: String = "") throws
    -> (call: Call, now: Timestamp)?
  {
    try connection.queryRow(
      "SELECT \(Call.columns), UTC_TIMESTAMP(3) FROM calls c WHERE c.id = ? \(mode)",
      [.text(callId)]
    ).map { (try Call(row: $0), $0.time(Call.columnCount) ?? .now()) }
  }
}
