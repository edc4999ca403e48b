// A pool whose clock and processes are the test's: it does at once what the pool says, and keeps
// what it did.

import Glibc

@testable import Supervision

struct SimulatedPool {
  var pool: WorkerPool
  var now: Int64 = 1_000_000
  /// The processes that live, by the slot that they were started in.
  private(set) var living: [pid_t: Int] = [:]
  private(set) var signals: [(at: Int64, process: pid_t, signal: Int32)] = []
  private(set) var starts: [(at: Int64, process: pid_t)] = []
  private(set) var smallest = Int.max
  private var nextProcess: pid_t = 100

  /// What a SIGTERM does.
  var endsOnTerm = true
  /// Whether new processes die as soon as they are started.
  var diesAtOnce = false

  init(workers: Int) {
    pool = WorkerPool(WorkerPool.Settings(workers: workers))
    act()
  }

  var processes: [pid_t] { living.keys.sorted() }

  @discardableResult mutating func kill(_ process: pid_t) -> WorkerPool.Ending? {
    living[process] = nil
    let ending = pool.ended(process, at: now)
    act()
    return ending
  }

  mutating func act() {
    var ended: [pid_t] = []
    for action in pool.due(at: now) {
      switch action {
      case .start(let slot): start(slot)
      case .signal(let process, let signal):
        signals.append((now, process, signal))
        if signal == SIGKILL || endsOnTerm { ended.append(process) }
      }
    }
    // As the loop hears of it: once it has done everything that was due.
    for process in ended {
      living[process] = nil
      _ = pool.ended(process, at: now)
    }
    if !ended.isEmpty { act() }
  }

  private mutating func start(_ slot: Int) {
    let process = nextProcess
    nextProcess += 1
    pool.started(process, slot: slot, at: now)
    starts.append((now, process))
    living[process] = slot
    if diesAtOnce {
      living[process] = nil
      _ = pool.ended(process, at: now)
    }
  }

  /// Lets time pass, waking as the loop does.
  mutating func run(milliseconds: Int64) {
    let end = now + milliseconds
    while let due = pool.nextDue(after: now), due <= end {
      now = due
      act()
      smallest = min(smallest, living.count)
    }
    now = end
    act()
  }
}
