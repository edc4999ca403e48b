// A transaction and how far it is: what `Database` has to know to end it, or to run it again.

import Calls
import MySQL
import System

final class Transaction {
  enum State {
    /// Not begun, or committed.
    case closed
    /// Nothing has been written.
    case open
    /// What was written is not committed.
    case written
    /// The statement that commits is under way: if the connection breaks, its outcome is unknown.
    case committing
    /// The same, and it is the transaction's only one: if it was not sent, nothing was done.
    case single
  }

  let connection: MySQLConnection
  /// Which requests to servers elsewhere the changes of calls are recorded for.
  let recording: Recording
  var state = State.closed
  /// What is counted once it is committed: of the first change in place, since there is seldom another.
  private var step: CallStep?
  private var furtherSteps: [CallStep] = []

  init(_ connection: MySQLConnection, recording: Recording) {
    (self.connection, self.recording) = (connection, recording)
  }

  /// Has a change of a call counted once it is committed.
  func note(_ new: CallStep?) {
    guard let new else { return }
    if step == nil { step = new } else { furtherSteps.append(new) }
  }

  /// To be called once it is committed.
  func count(in counters: CounterSlot) {
    step?.count(in: counters)
    for step in furtherSteps { step.count(in: counters) }
  }

  var isCommitting: Bool { state == .committing || state == .single }

  /// Whether a connection that broke, or was given up, has certainly committed nothing.
  func mayRunAgain(after error: MySQLError) -> Bool {
    !isCommitting || error.isRefused || state == .single && error.wasNotSent
  }

  /// Calls a routine that is the whole transaction, from its beginning to its commit.
  /// - Returns: What `body` makes of the first row; nil where there is none.
  func perform<Value>(
    _ routine: String, _ values: [MySQLValue], _ body: (borrowing MySQLRow) throws -> Value
  ) throws -> Value? {
    state = .single
    let value = try connection.first(routine, values, body)
    state = .closed
    return value
  }

  /// Calls a routine that commits what was begun before.
  func commit(_ routine: String, _ values: [MySQLValue]) throws {
    state = .committing
    try connection.execute(routine, values)
    state = .closed
  }

  /// Commits what was written; lets go of the locks of a transaction that wrote nothing.
  func end() throws(MySQLError) {
    switch state {
    case .closed, .committing, .single: break
    case .open: try connection.run("ROLLBACK")
    case .written:
      state = .committing
      try connection.run("COMMIT")
    }
    state = .closed
  }
}
