// What the sweeper's thread has measured, for the loop that publishes it, and where it counts.

import Synchronization
import System

package final class SweepGauges: Sendable {
  private let calls = Atomic<Int>(0)
  private let lag = Atomic<Int>(0)

  /// The supervisor's slot.
  package let counters: CounterSlot

  package init(counters: CounterSlot = .none) { self.counters = counters }

  package func store(liveCalls: Int, lagMilliseconds: Int) {
    calls.store(liveCalls, ordering: .relaxed)
    lag.store(lagMilliseconds, ordering: .relaxed)
  }

  package var liveCalls: Int { calls.load(ordering: .relaxed) }
  package var lagMilliseconds: Int { lag.load(ordering: .relaxed) }
}
