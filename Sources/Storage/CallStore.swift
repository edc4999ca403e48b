// The use cases on one call: each is one transaction that locks both lines, reads the call, lets
// the rules of `Calls` decide, and writes (R1, R2, R5, R8).

import Calls
import MySQL
import System

package struct CallSettings: Sendable {
  /// How long a call rings (CALL_TIMEOUT_SECONDS).
  package var ringSeconds: Int
  /// How long an accepted call may last (MAX_CALL_DURATION_SECONDS).
  package var maximumSeconds: Int

  package init(ringSeconds: Int, maximumSeconds: Int) {
    (self.ringSeconds, self.maximumSeconds) = (ringSeconds, maximumSeconds)
  }
}

/// A call with the names of its two parties.
package struct CallDetails: Sendable {
  package let call: Call
  package let caller: Party
  package let callee: Party
}

package struct CallStore {
  let database: Database
  let settings: CallSettings
  let hints: Hints
  let randomness: Randomness

  package init(
    _ database: Database, settings: CallSettings, hints: Hints, randomness: Randomness = .system
  ) {
    self.database = database
    self.settings = settings
    self.hints = hints
    self.randomness = randomness
  }

  /// - Returns: The call after the acceptance, now or before from the same device.
  /// - Throws: `CallError`: `notFound`, and what `Call.accepted` throws.
  package func accept(_ callId: String, by userId: String, from origin: Origin) throws -> Call {
    let maximum = settings.maximumSeconds
    return try change(callId, by: userId) { call, now in
      try call.accepted(by: userId, from: origin, at: now, maximumSeconds: maximum)
    }.call
  }

  /// - Throws: `CallError`: `notFound`, and what `Call.rejected` throws.
  package func reject(
    _ callId: String, by userId: String, reason: RejectReason, from origin: Origin
  ) throws -> Call {
    try change(callId, by: userId) { call, now in
      try call.rejected(by: userId, reason: reason, from: origin, at: now)
    }.call
  }

  /// - Throws: `CallError`: `notFound`, and what `Call.ended` throws.
  package func end(_ callId: String, by userId: String, reason: EndReason, from origin: Origin)
    throws -> Call
  {
    try change(callId, by: userId) { call, now in
      try call.ended(by: userId, reason: reason, from: origin, at: now)
    }.call
  }

  /// - Returns: The call, and the server's time.
  /// - Throws: `CallError`: `notFound`, and what `Call.updated` throws.
  package func update(
    _ callId: String, to status: CallStatus, by userId: String, from origin: Origin
  ) throws -> (call: Call, now: Timestamp) {
    let maximum = settings.maximumSeconds
    return try change(callId, by: userId) { call, now in
      try call.updated(
        to: status, by: userId, from: origin, at: now, maximumSeconds: maximum)
    }
  }

  /// The invitation has reached a device: from initiating to ringing. Does nothing where the call
  /// has moved on or is gone.
  package func markRinging(_ callId: String) throws {
    // An invitation may be replayed long afterwards; then there is nothing to lock.
    guard let call = try find(callId), call.status == .initiating else { return }
    _ = try change(call) { call, _ in call.ringing() }
  }

  /// Ends a call for an operator, whatever its status: unanswered it is missed, accepted it ends.
  /// - Returns: The call afterwards; nil where there is none of this id.
  package func endByOperator(_ callId: String) throws -> Call? {
    guard let call = try find(callId) else { return nil }
    return try change(call) { call, now in
      if call.status.isTerminal { return nil }
      return call.status.isUnanswered
        ? call.timedOut(at: now) : call.endedBySystem(.hangup, at: now)
    }.call
  }

  package func find(_ callId: String) throws -> Call? { try read(callId)?.call }

  /// A call as it stands, and the server's time.
  private func read(_ callId: String) throws -> (call: Call, now: Timestamp)? {
    guard CallID.isWellFormed(callId) else { return nil }
    return try database.read { try Call.read($0, callId.lowercased()) }
  }

  /// - Throws: `CallError.notFound`; `CallError.unauthorizedAccess` for somebody else's call.
  package func require(_ callId: String, for userId: String) throws -> Call {
    try requireNow(callId, for: userId).call
  }

  /// The same, and the server's time.
  func requireNow(_ callId: String, for userId: String) throws -> (call: Call, now: Timestamp) {
    guard let found = try read(callId) else { throw CallError.notFound(.call) }
    guard found.call.isParticipant(userId) else {
      throw CallError.unauthorizedAccess("You take no part in this call.")
    }
    return found
  }

  private func change(
    _ callId: String, by userId: String,
    _ decide: (Call, Timestamp) throws -> CallChange?
  ) throws -> (call: Call, now: Timestamp) {
    try change(try require(callId, for: userId), decide)
  }

  /// Locks, reads, expires what is overdue, decides, writes, commits, hints.
  private func change(_ known: Call, _ decide: (Call, Timestamp) throws -> CallChange?)
    throws -> (call: Call, now: Timestamp)
  {
    let outcome = try database.transaction { connection -> Outcome in
      let locked = try LockedCall(connection, known.id, known.callerId, known.calleeId)
      var (call, now, journal) = (locked.call, locked.now, locked.journal)
      var recipients: Set<UserKey> = []
      if call.isExpired(at: now) {
        let expiry = call.timedOut(at: now)
        call = try journal.write(expiry, from: call.status)
        recipients.formUnion(expiry.recipients)
      }
      let change: CallChange?
      do {
        change = try decide(call, now)
      } catch let error as CallError {
        // A refusal commits all the same: what expired on the way stays expired.
        return Outcome(call: call, now: now, recipients: recipients, refusal: error)
      }
      if let change {
        call = try journal.write(change, from: call.status)
        recipients.formUnion(change.recipients)
      }
      return Outcome(call: call, now: now, recipients: recipients, refusal: nil)
    }
    hints.publish(to: outcome.recipients)
    if let refusal = outcome.refusal { throw refusal }
    return (outcome.call, outcome.now)
  }

  private struct Outcome {
    let call: Call
    let now: Timestamp
    let recipients: Set<UserKey>
    let refusal: CallError?
  }
}
