// How the pool is doing, in words: the log line when that changes, and the line that
// `systemctl status` shows.

import Glibc
import JSON
import System

package struct PoolCondition {
  /// For `systemctl status`.
  package private(set) var text = "starting"
  package private(set) var starts = 0
  package private(set) var crashes = 0
  package private(set) var reloads = 0

  private let workers: Int
  private let log: Log
  private var isReloading = false
  private var wasAbandoned = false
  private var isSlowed = false
  /// Why the last worker that ended by itself, or could not be started, did.
  private var lastFailure = ""
  /// Steps of ten seconds that the sweep under way has been reported for.
  private var sweepSteps: Int64 = 0

  private static let sweepStepMilliseconds: Int64 = 10_000

  package init(workers: Int, log: Log) {
    self.workers = workers
    self.log = log
  }

  package mutating func started() { starts += 1 }

  package mutating func ended(
    _ process: pid_t, _ exit: ProcessExit, _ ending: WorkerPool.Ending
  ) {
    let fields: Log.Fields = [
      "worker": .int(Int64(process)), "exit": .string(exit.description),
      "ageMilliseconds": .int(ending.ageMilliseconds),
      "restartMilliseconds": ending.delayMilliseconds.map { .int($0) } ?? .null,
    ]
    if ending.wasAskedTo {
      log.debug("worker_ended", fields)
    } else {
      crashes += 1
      lastFailure = "\(exit) after \(ending.ageMilliseconds) ms"
      log.warning("worker_died", fields)
    }
    if ending.endedReload {
      wasAbandoned = true
      log.error("reload_given_up", ["reason": .string("a new worker died at once")])
    }
  }

  package mutating func notStarted(_ error: SystemError, nextTryMilliseconds: Int64) {
    lastFailure = error.description
    log.error(
      "worker_not_started",
      ["error": .string(lastFailure), "nextTryMilliseconds": .int(nextTryMilliseconds)])
  }

  package func hangs(_ process: pid_t, milliseconds: Int64) {
    log.error(
      "worker_hangs", ["worker": .int(Int64(process)), "milliseconds": .int(milliseconds)])
  }

  package func killing(_ process: pid_t) {
    log.warning("worker_killed", ["worker": .int(Int64(process))])
  }

  /// - Parameter sweepMilliseconds: How long the sweep under way has taken so far.
  /// - Returns: true where a reload has come to its end.
  package mutating func update(
    _ pool: WorkerPool, sweepMilliseconds: Int64?, at now: Int64
  ) -> Bool {
    noteSlowing(pool.isSlowed(at: now))
    noteSweep(sweepMilliseconds ?? 0)
    let endedReload = isReloading && !pool.isReloading
    isReloading = pool.isReloading
    if endedReload {
      if !wasAbandoned {
        reloads += 1
        log.info("reload_finished")
      }
      wasAbandoned = false
    }
    text = words(pool)
    return endedReload
  }

  private mutating func noteSlowing(_ isNow: Bool) {
    if isNow, !isSlowed {
      log.error("restarts_slowed_down", ["reason": .string("workers keep crashing")])
    } else if isSlowed, !isNow {
      log.info("restarts_at_full_speed")
    }
    isSlowed = isNow
  }

  private mutating func noteSweep(_ milliseconds: Int64) {
    let steps = milliseconds / Self.sweepStepMilliseconds
    if steps > sweepSteps {
      log.error("sweep_hangs", ["seconds": .int(milliseconds / 1000)])
    } else if steps == 0, sweepSteps > 0 {
      log.info("sweep_over")
    }
    sweepSteps = steps
  }

  private func words(_ pool: WorkerPool) -> String {
    var words = "\(pool.running) of \(workers) workers running"
    if pool.isDraining { words = "draining, \(pool.running + pool.stopping) workers left" }
    if isReloading { words += ", reloading" }
    if pool.running < workers, !pool.isDraining, !lastFailure.isEmpty {
      words += ", the last that failed: \(lastFailure)"
    }
    if isSlowed { words += ", restarts slowed down after many crashes" }
    if sweepSteps > 0 { words += ", a sweep has been running for \(sweepSteps * 10) s" }
    return words
  }
}
