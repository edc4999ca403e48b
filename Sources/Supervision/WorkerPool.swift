// The pool as a state machine: what has happened goes in with the time at which it did, what is to
// be done comes out. No clock, no process, no signal in here, so a test can play any order of events.
//
// A slot is `free`, `waiting` for its next start, `running` or `stopping`. There is one slot more
// than workers: a reload starts the new worker in the free one before it stops an old one.
//
//            start                told to go             has ended
//   waiting ───────▶ running ───────────────▶ stopping ───────────▶ free
//      ▲                │ has ended by itself
//      └────────────────┘ (after the back-off)
//
// A worker is told to go by SIGTERM, again and again, because a program that waits in libfcgi's
// accept can miss one (design §1), and killed after the grace.

import Glibc

package struct WorkerPool: Sendable {
  package struct Settings: Sendable, Equatable {
    /// 1–512.
    package var workers: Int
    /// What a worker has to finish its request in.
    package var graceMilliseconds: Int64 = 20_000
    /// How long a new worker must live before a reload trusts it.
    package var settleMilliseconds: Int64 = 250
    /// A worker that has had one request in hand for longer hangs: nginx has given the request up after 30 s
    /// (fastcgi_read_timeout), and what a request waits for has shorter time-outs.
    package var hangMilliseconds: Int64 = 35_000

    package init(workers: Int) { self.workers = workers }
  }

  package static let resendMilliseconds: Int64 = 250

  package enum Action: Equatable, Sendable {
    /// To be answered with `started` or `startFailed`.
    case start(slot: Int)
    case signal(pid_t, Int32)
  }

  /// What the end of a worker meant.
  package struct Ending: Equatable, Sendable {
    package let slot: Int
    package let ageMilliseconds: Int64
    package let wasAskedTo: Bool
    /// Until the slot's next start; nil where there is none to be.
    package let delayMilliseconds: Int64?
    /// It was a new worker of a reload, which is given up: the old ones stay.
    package let endedReload: Bool
  }

  struct Worker: Equatable, Sendable {
    let process: pid_t
    let startedAt: Int64
    /// Of the reload that it came with.
    var generation: Int
  }

  enum Slot: Equatable, Sendable {
    case free
    case waiting(until: Int64)
    case running(Worker)
    case stopping(Worker, since: Int64, signalledAt: Int64?)
  }

  package let settings: Settings
  var slots: [Slot]
  var generation = 0
  /// A drain does not end but with the supervisor.
  package private(set) var isDraining = false
  private var backoffs: [Backoff]
  private var crashRate: CrashRate
  private var lastStart = Int64.min / 2

  package init(_ settings: Settings) {
    self.settings = settings
    slots = Array(repeating: .waiting(until: .min), count: settings.workers) + [.free]
    backoffs = Array(repeating: Backoff(), count: settings.workers + 1)
    crashRate = CrashRate(workers: settings.workers)
  }

  // MARK: What has happened

  package mutating func started(_ process: pid_t, slot: Int, at now: Int64) {
    lastStart = now
    slots[slot] = .running(Worker(process: process, startedAt: now, generation: generation))
  }

  /// The program could not be started at all: as if it had died at once.
  /// - Returns: The delay until the next try.
  package mutating func startFailed(slot: Int, at now: Int64) -> Int64 {
    lastStart = now
    let worker = Worker(process: 0, startedAt: now, generation: generation)
    return end(worker, slot, at: now).delay
  }

  /// - Returns: nil where `process` is none of the pool's.
  package mutating func ended(_ process: pid_t, at now: Int64) -> Ending? {
    for (index, slot) in slots.enumerated() {
      switch slot {
      case .running(let worker) where worker.process == process:
        let (delay, endedReload) = end(worker, index, at: now)
        return Ending(
          slot: index, ageMilliseconds: now - worker.startedAt, wasAskedTo: false,
          delayMilliseconds: isDraining ? nil : delay, endedReload: endedReload)
      case .stopping(let worker, _, _) where worker.process == process:
        slots[index] = .free
        return Ending(
          slot: index, ageMilliseconds: now - worker.startedAt, wasAskedTo: true,
          delayMilliseconds: nil, endedReload: false)
      default: continue
      }
    }
    return nil
  }

  private mutating func end(_ worker: Worker, _ slot: Int, at now: Int64)
    -> (delay: Int64, endedReload: Bool)
  {
    crashRate.record(at: now)
    let age = now - worker.startedAt
    let delay = backoffs[slot].delay(afterAge: age)
    slots[slot] = .waiting(until: now + delay)
    let isNew = worker.generation == generation && age < settings.settleMilliseconds
    let endsReload = isReloading && isNew
    if endsReload { abandonReload() }
    return (delay, endsReload)
  }

  /// Every worker is to be replaced by a new one, one after the other.
  package mutating func reload() { generation += 1 }

  package mutating func drain() { isDraining = true }

  // MARK: What is to be done

  /// - Returns: What is due by now, each action once.
  package mutating func due(at now: Int64) -> [Action] {
    var actions: [Action] = []
    if isDraining { stopAll(at: now) } else { reloadNext(at: now) }
    for index in slots.indices {
      switch slots[index] {
      case .waiting(let until) where until <= now && mayStart(at: now, actions):
        actions.append(.start(slot: index))
      case .stopping(let worker, let since, let signalledAt):
        if let signalledAt, signalledAt + Self.resendMilliseconds > now { continue }
        let isOverdue = now - since >= settings.graceMilliseconds
        actions.append(.signal(worker.process, isOverdue ? SIGKILL : SIGTERM))
        slots[index] = .stopping(worker, since: since, signalledAt: now)
      default: continue
      }
    }
    return actions
  }

  /// One start at a time, and those far between, while the pool keeps crashing.
  private func mayStart(at now: Int64, _ actions: [Action]) -> Bool {
    guard crashRate.isExceeded(at: now) else { return true }
    let isStarting = actions.contains { if case .start = $0 { true } else { false } }
    return !isStarting && now - lastStart >= CrashRate.slowStartMilliseconds
  }

  private mutating func stopAll(at now: Int64) {
    for index in slots.indices {
      switch slots[index] {
      case .waiting: slots[index] = .free
      case .running(let worker): stop(worker, index, at: now)
      case .free, .stopping: continue
      }
    }
  }

  mutating func stop(_ worker: Worker, _ slot: Int, at now: Int64) {
    slots[slot] = .stopping(worker, since: now, signalledAt: nil)
  }

  /// When `due`, which has just been asked, has something to do again, if nothing happens before;
  /// nil for never.
  package func nextDue(after now: Int64) -> Int64? {
    var times: [Int64] = []
    for slot in slots {
      switch slot {
      case .waiting(let until):
        let isSlow = crashRate.isExceeded(at: now)
        times.append(isSlow ? max(until, lastStart + CrashRate.slowStartMilliseconds) : until)
      case .stopping(_, _, let signalledAt):
        times.append((signalledAt ?? now) + Self.resendMilliseconds)
      case .running(let worker) where isReloading && worker.generation == generation:
        times.append(worker.startedAt + settings.settleMilliseconds)
      case .running, .free: continue
      }
    }
    return times.filter { $0 > now }.min()
  }

  // MARK: What is

  /// Of each slot in which one runs.
  package var runningProcesses: [(slot: Int, process: pid_t, startedAt: Int64)] {
    slots.enumerated().compactMap { index, slot in
      guard case .running(let worker) = slot else { return nil }
      return (index, worker.process, worker.startedAt)
    }
  }

  /// Workers that hang, to be killed: what holds them may hold up SIGTERM, too.
  /// - Parameter busySince: When the request of a slot's worker began; nil where there is none.
  package func hanging(at now: Int64, busySince: (Int) -> Int64?) -> [(
    slot: Int, process: pid_t, milliseconds: Int64
  )] {
    runningProcesses.compactMap { slot, process, startedAt in
      guard let since = busySince(slot) else { return nil }
      let milliseconds = now - max(since, startedAt)
      return milliseconds < settings.hangMilliseconds ? nil : (slot, process, milliseconds)
    }
  }

  package var running: Int {
    slots.count { if case .running = $0 { true } else { false } }
  }

  package var stopping: Int {
    slots.count { if case .stopping = $0 { true } else { false } }
  }

  package func isSlowed(at now: Int64) -> Bool { crashRate.isExceeded(at: now) }

  /// No worker is left and none is to come.
  package var isEmpty: Bool { slots.allSatisfy { $0 == .free } }
}
