// What time does to calls: unanswered ones expire (R1.4), `disconnecting` ones are finished, those
// past the maximum duration and those whose participants are both gone, from here or from Agora's channel,
// are ended. Any number of
// sweepers may run at once: each takes the lines that nobody else holds (SKIP LOCKED, design §2).

import Calls
import MySQL
import System

package struct SweepReport: Sendable, Equatable {
  /// Calls ended for their deadline: unanswered, disconnecting, or too long.
  package var overdue = 0
  /// Calls ended because both participants were gone.
  package var lost = 0
  /// Calls connected or ended for what Agora had reported of their channels.
  package var media = 0
  /// Due calls that somebody else was at work on; the next pass sees them again.
  package var skipped = 0
  /// Rows deleted because their time was up.
  package var purged = 0
  /// Stored procedures that were lost and have been made again.
  package var restored = 0

  package init() {}
}

package final class Sweeper {
  /// Due calls that one pass takes.
  private static let batch = 200
  /// Calls that one transaction ends: one flush of the log for all of them.
  private static let transactionBatch = 20
  /// How often lost calls are looked for.
  private static let lostIntervalSeconds: Int64 = 5
  /// How often the load is measured.
  private static let loadIntervalSeconds: Int64 = 1
  /// How often lost stored procedures are looked for.
  private static let routinesIntervalSeconds: Int64 = 10

  /// Of the rows whose time is up, per table and pass.
  private static let purgeBatches = 4

  private let database: Database
  private let hints: Hints
  private let retention: Retention
  private let routines: Routines?
  private let absenceSeconds: Int
  private var lostDueAt = Timestamp(milliseconds: 0)
  private var retentionDueAt = Timestamp(milliseconds: 0)
  private var routinesDueAt = Timestamp(milliseconds: 0)
  private var loadDueAt = Timestamp(milliseconds: 0)
  /// As it was at the last measurement, before that pass ended anything.
  package private(set) var load: CallLoad?
  /// The first of the pass under way.
  private var failure: (any Error)?

  /// - Parameters:
  ///   - absenceSeconds: How long neither participant of a call may be in Agora's channel.
  ///   - routines: Those that every write needs, to be made again where they got lost.
  package init(
    _ database: Database, hints: Hints, retention: RetentionSettings, absenceSeconds: Int,
    routines: Routines? = nil
  ) {
    self.database = database
    self.hints = hints
    self.retention = Retention(database, retention)
    self.routines = routines
    self.absenceSeconds = absenceSeconds
  }

  /// One pass; to be called a few times a second.
  /// - Throws: `MySQLError`, `StorageError`: all that could be done has been done, unless the database
  ///   is away.
  package func sweep(now: Timestamp = .now()) throws -> SweepReport {
    var report = SweepReport()
    failure = nil
    try measure(now)
    try restoreRoutines(&report, now)
    try endOverdue(&report)
    try followMedia(&report)
    if now >= lostDueAt {
      try endLost(&report)
      lostDueAt = now.adding(seconds: Self.lostIntervalSeconds)
    }
    try purge(&report, now)
    if let failure { throw failure }
    return report
  }

  private func measure(_ now: Timestamp) throws {
    guard now >= loadDueAt else { return }
    do { load = try CallLoad.measure(database) } catch { try keep(error) }
    loadDueAt = now.adding(seconds: Self.loadIntervalSeconds)
  }

  private func restoreRoutines(_ report: inout SweepReport, _ now: Timestamp) throws {
    guard let routines, now >= routinesDueAt else { return }
    do {
      report.restored = try database.read { try routines.apply($0, onlyMissing: true) }.count
    } catch { try keep(error) }
    routinesDueAt = now.adding(seconds: Self.routinesIntervalSeconds)
  }

  private func purge(_ report: inout SweepReport, _ now: Timestamp) throws {
    if now >= retentionDueAt {
      report.purged = try retention.purge(batches: Self.purgeBatches)
      // A pass that found as much as it may take goes on with the next one.
      if report.purged < Self.purgeBatches * Retention.batchRows {
        retentionDueAt = now.adding(seconds: report.purged > 0 ? 5 : 60)
      }
    }
  }

  /// Ids of calls.
  private func candidates(_ sql: String, _ values: [MySQLValue]) throws -> [String] {
    try database.read { try $0.map(sql, values) { $0.text(0) } }
  }

  private func endOverdue(_ report: inout SweepReport) throws {
    let due = try candidates(
      """
      SELECT id FROM calls
      WHERE deadline_at <= UTC_TIMESTAMP(3) ORDER BY deadline_at LIMIT ?
      """, [.int(Self.batch)])
    let outcome = try end(due) { $0.call.overdue(at: $0.now) }
    report.overdue += outcome.ended
    report.skipped += outcome.skipped
  }

  /// Both participants had a connection during this call, and neither has had one for 90 s.
  private func endLost(_ report: inout SweepReport) throws {
    let gone = try candidates(
      """
      SELECT c.id FROM calls c
      JOIN user_lines a ON a.user_id = c.caller_id
      JOIN user_lines b ON b.user_id = c.callee_id
      WHERE c.deadline_at IS NOT NULL AND c.accepted_at IS NOT NULL
        AND a.seen_at >= c.created_at AND b.seen_at >= c.created_at
        AND a.seen_at < UTC_TIMESTAMP(3) - INTERVAL ? SECOND
        AND b.seen_at < UTC_TIMESTAMP(3) - INTERVAL ? SECOND
      LIMIT ?
      """, [.int(Call.goneSeconds), .int(Call.goneSeconds), .int(Self.batch)])
    let outcome = try end(gone) {
      $0.call.lost(callerSeenAt: $0.caller.seenAt, calleeSeenAt: $0.callee.seenAt, at: $0.now)
    }
    report.lost += outcome.ended
    report.skipped += outcome.skipped
  }

  /// Calls whose participants have been out of Agora's channel for long enough, or were in it before the
  /// answer (contract §9.2).
  private func followMedia(_ report: inout SweepReport) throws {
    let due = try candidates(
      """
      SELECT call_id FROM agora_presence
      WHERE due_at <= UTC_TIMESTAMP(3) ORDER BY due_at LIMIT ?
      """, [.int(Self.batch)])
    let seconds = absenceSeconds
    let outcome = try end(due) { try $0.followMedia(absenceSeconds: seconds) }
    report.media += outcome.ended
    report.skipped += outcome.skipped
  }

  private struct Outcome {
    var ended = 0
    var skipped = 0
    var recipients: Set<UserKey> = []
  }

  private func end(_ candidates: [String], _ decide: (LockedCall) throws -> CallChange?) throws
    -> Outcome
  {
    var total = Outcome()
    func run(_ batch: some Collection<String>) throws {
      let outcome = try database.change { try end(batch, $0, decide) }
      hints.publish(to: outcome.recipients)
      total.ended += outcome.ended
      total.skipped += outcome.skipped
    }
    for start in stride(from: 0, to: candidates.count, by: Self.transactionBatch) {
      let batch = candidates[start..<min(start + Self.transactionBatch, candidates.count)]
      do { try run(batch) } catch {
        try keep(error)
        // One call that cannot be ended does not hold up the others.
        for candidate in batch { do { try run([candidate]) } catch { try keep(error) } }
      }
    }
    return total
  }

  private func end(
    _ batch: some Collection<String>, _ transaction: Transaction,
    _ decide: (LockedCall) throws -> CallChange?
  ) throws -> Outcome {
    var outcome = Outcome()
    for callId in batch {
      guard let locked = try LockedCall(ifFree: transaction, callId) else {
        outcome.skipped += 1
        continue
      }
      guard let change = try decide(locked) else { continue }
      try locked.write(change, commits: false)
      outcome.ended += 1
      outcome.recipients.formUnion(change.recipients)
    }
    return outcome
  }

  /// Notes the first failure of a pass that can go on; throws what ends it.
  private func keep(_ error: any Error) throws {
    if let error = error as? MySQLError, error.isUnavailable { throw error }
    failure = failure ?? error
  }
}
