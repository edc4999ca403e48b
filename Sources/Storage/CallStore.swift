// The use cases on one call: each is one transaction that locks both lines, reads the call, lets
// the rules of `Calls` decide, and writes (R1, R2, R5, R8), in two round trips.

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

/// A call with the names of its two parties, and who of them is in its channel.
package struct CallDetails: Sendable {
  package var call: Call
  package let caller: Party
  package let callee: Party
  /// According to Agora (contract §9.3); nil where it has never reported the participant.
  package var callerMedia: MediaState?
  package var calleeMedia: MediaState?
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
    return try change(callId, by: userId, mayEnd: false) { call, now in
      try call.accepted(by: userId, from: origin, at: now, maximumSeconds: maximum)
    }.call
  }

  /// - Throws: `CallError`: `notFound`, and what `Call.rejected` throws.
  package func reject(
    _ callId: String, by userId: String, reason: RejectReason, from origin: Origin
  ) throws -> Call {
    try change(callId, by: userId, mayEnd: true) { call, now in
      try call.rejected(by: userId, reason: reason, from: origin, at: now)
    }.call
  }

  /// - Throws: `CallError`: `notFound`, and what `Call.ended` throws.
  package func end(_ callId: String, by userId: String, reason: EndReason, from origin: Origin)
    throws -> Call
  {
    try change(callId, by: userId, mayEnd: true) { call, now in
      try call.ended(by: userId, reason: reason, from: origin, at: now)
    }.call
  }

  /// - Returns: The call, and the server's time.
  /// - Throws: `CallError`: `notFound`, and what `Call.updated` throws.
  package func update(
    _ callId: String, to status: CallStatus, by userId: String, from origin: Origin
  ) throws -> (call: Call, now: Timestamp) {
    let maximum = settings.maximumSeconds
    return try change(callId, by: userId, mayEnd: false) { call, now in
      try call.updated(
        to: status, by: userId, from: origin, at: now, maximumSeconds: maximum)
    }
  }

  /// The invitation has reached a device: from initiating to ringing. Does nothing where the call
  /// has moved on or is gone.
  package func markRinging(_ callId: String) throws {
    // An invitation may be replayed long afterwards; then there is nothing to lock.
    guard let call = try find(callId), call.status == .initiating else { return }
    _ = try change(call.id, by: nil, mayEnd: false) { call, _ in call.ringing() }
  }

  /// Ends a call for an operator, whatever its status: unanswered it is missed, accepted it ends.
  /// - Returns: The call afterwards; nil where there is none of this id.
  package func endByOperator(_ callId: String) throws -> Call? {
    guard let call = try find(callId) else { return nil }
    return try change(call.id, by: nil, mayEnd: true) { call, now in
      if call.status.isTerminal { return nil }
      return call.status.isUnanswered
        ? call.timedOut(at: now) : call.endedBySystem(.hangup, at: now, clearsChannel: true)
    }.call
  }

  package func find(_ callId: String) throws -> Call? {
    guard CallID.isWellFormed(callId) else { return nil }
    return try database.read {
      try $0.first(Self.findSQL, [.text(callId.lowercased())]) { try Call(row: $0) }
    }
  }

  private static let findSQL = "SELECT \(Call.columns) FROM calls c WHERE c.id = ?"

  /// Locks, reads, expires what is overdue, decides, writes, commits, notifies: two round trips.
  /// - Parameter userId: Who acts; nil for the system.
  private func change(
    _ callId: String, by userId: String?, mayEnd: Bool,
    _ decide: (Call, Timestamp) throws -> CallChange?
  ) throws -> (call: Call, now: Timestamp) {
    let outcome = try database.change { transaction -> Outcome in
      let locked = try LockedCall(transaction, callId, for: userId, withQuality: mayEnd)
      if let expiry = locked.call.overdue(at: locked.now) {
        // A refusal commits all the same: what expired on the way stays expired. A call that is over
        // is changed by nothing else.
        let call = try locked.write(expiry)
        var refusal: CallError?
        do { _ = try decide(call, locked.now) } catch let error as CallError { refusal = error }
        return Outcome(
          call: call, now: locked.now, recipients: expiry.recipients, refusal: refusal)
      }
      guard let change = try decide(locked.call, locked.now) else {
        return Outcome(call: locked.call, now: locked.now, recipients: [], refusal: nil)
      }
      return Outcome(
        call: try locked.write(change), now: locked.now, recipients: change.recipients,
        refusal: nil)
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
