// The sweeper's thread: one pass whenever the supervisor's timer says so. It has its own connection
// to the database, and whatever hangs there hangs here: the loop that reaps workers never waits for
// it, and says so in the log when a pass takes long.

import Glibc
import Synchronization
import System

package final class SweeperThread: Sendable {
  /// What one pass did, for the log; nil for nothing. Made on the thread, which owns what it holds.
  package typealias Pass = () throws -> Log.Fields?

  /// After a pass that failed, nothing is tried for this time.
  private static let pauseMilliseconds: Int64 = 1_000
  /// An error is logged again after this time; until then only counted.
  private static let repeatMilliseconds: Int64 = 10_000

  /// What the passes have measured.
  package let gauges: SweepGauges

  private let log: Log
  private let wake: EventDescriptor
  private let isStopping = Atomic<Bool>(false)
  /// Milliseconds of the monotonic clock; 0 while nothing is under way.
  private let busySince = Atomic<Int64>(0)
  private let passCount = Atomic<Int>(0)
  private let failureCount = Atomic<Int>(0)

  /// - Parameter counters: What the passes count in.
  package init(log: Log, counters: CounterSlot = .none) throws(SystemError) {
    self.log = log
    gauges = SweepGauges(counters: counters)
    wake = try EventDescriptor(blocking: true)
  }

  /// - Parameter prepare: Runs once, on the thread.
  package func start(_ prepare: @escaping @Sendable () -> Pass) throws(SystemError) {
    _ = try Thread.start(name: "sweeper") { [self] in
      let pass = prepare()
      var errors = RepeatedError(intervalMilliseconds: Self.repeatMilliseconds)
      var pausedUntil = Int64.min
      while wake.drain() > 0, !isStopping.load(ordering: .relaxed) {
        let now = MonotonicClock.milliseconds()
        if now < pausedUntil { continue }
        busySince.store(now, ordering: .relaxed)
        if !run(pass, &errors) { pausedUntil = now + Self.pauseMilliseconds }
        busySince.store(0, ordering: .relaxed)
      }
    }
  }

  private func run(_ pass: Pass, _ errors: inout RepeatedError) -> Bool {
    do {
      if let done = try pass() { log.info("sweep", done) }
      passCount.add(1, ordering: .relaxed)
      return true
    } catch {
      failureCount.add(1, ordering: .relaxed)
      let text = "\(error)"
      if let suppressed = errors.report(text, at: MonotonicClock.milliseconds()) {
        log.error(
          "sweep_failed", ["error": .string(text), "suppressed": .int(Int64(suppressed))])
      }
      return false
    }
  }

  /// Has the next pass begin, now or when the one under way is over.
  package func tick() { wake.signal() }

  package func stop() {
    isStopping.store(true, ordering: .relaxed)
    wake.signal()
  }

  /// How long the pass under way has been at it; nil where there is none.
  package func busyMilliseconds(at now: Int64) -> Int64? {
    let since = busySince.load(ordering: .relaxed)
    return since == 0 ? nil : now - since
  }

  package var passes: Int { passCount.load(ordering: .relaxed) }
  package var failures: Int { failureCount.load(ordering: .relaxed) }
}
