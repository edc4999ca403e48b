// The program beside the workers (chattrix-webhooks, contract §8): kept alive as a pool of one, with the same
// back-off, reload and drain. Its hangs are its own: one whose loop stands still is killed.

import Glibc
import System

struct Companion {
  /// Without a sign of life for longer, the program hangs. Its longest wait is for MySQL.
  static let hangMilliseconds: Int64 = 60_000

  private let program: String
  private let processes: WorkerProcesses
  private let log: Log
  private var pool = WorkerPool(WorkerPool.Settings(workers: 1))

  init(_ program: String, _ processes: WorkerProcesses, log: Log) {
    (self.program, self.processes, self.log) = (program, processes, log)
  }

  var isEmpty: Bool { pool.isEmpty }

  mutating func reload() { pool.reload() }

  mutating func drain() { pool.drain() }

  func nextDue(after now: Int64) -> Int64? { pool.nextDue(after: now) }

  /// - Returns: false where the process is none of this program's.
  mutating func ended(_ process: pid_t, _ exit: ProcessExit, at now: Int64) -> Bool {
    guard let ending = pool.ended(process, at: now) else { return false }
    processes.companionEnded(slot: ending.slot)
    let fields: Log.Fields = [
      "process": .int(Int64(process)), "exit": .string(exit.description),
      "ageMilliseconds": .int(ending.ageMilliseconds),
    ]
    if ending.wasAskedTo {
      log.debug("webhooks_ended", fields)
    } else {
      log.warning("webhooks_died", fields)
    }
    return true
  }

  mutating func act(at now: Int64) {
    for action in pool.due(at: now) {
      switch action {
      case .start(let slot): start(slot)
      case .signal(let process, let signal): kill(process, signal)
      }
    }
    for (slot, process, startedAt) in pool.runningProcesses {
      let aliveAt = max(startedAt, processes.companionAliveAt(slot: slot))
      guard now - aliveAt > Self.hangMilliseconds else { continue }
      log.error("webhooks_hang", ["process": .int(Int64(process))])
      kill(process, SIGKILL)
    }
  }

  private mutating func start(_ slot: Int) {
    do throws(SystemError) {
      let process = try processes.startCompanion(program, slot: slot)
      pool.started(process, slot: slot, at: MonotonicClock.milliseconds())
      log.debug("webhooks_started", ["process": .int(Int64(process))])
    } catch {
      let delay = pool.startFailed(slot: slot, at: MonotonicClock.milliseconds())
      log.error(
        "webhooks_not_started",
        ["error": .string(error.description), "nextTryMilliseconds": .int(delay)])
    }
  }
}
