// What the program counts for `/metrics`, in the memory that it shares with the pool of workers.

import Storage
import System

package struct DeliveryCounters {
  private let counters: SharedCounters?
  private let slot: Int

  /// - Parameter counters: nil where no supervisor shares any: nothing is counted then.
  package init(counters: SharedCounters?, slot: Int) {
    (self.counters, self.slot) = (counters, slot)
  }

  /// - Parameter now: Milliseconds of the monotonic clock.
  func alive(at now: Int64) { store(.aliveAt, now) }

  func count(_ outcome: DeliveryOutcome, isKick: Bool) {
    switch outcome {
    case .delivered: add(isKick ? .kicks : .delivered)
    case .retry: add(isKick ? .kicksFailed : .failed)
    case .givenUp:
      add(isKick ? .kicksFailed : .failed)
      add(isKick ? .kicksGivenUp : .givenUp)
    }
  }

  func first(milliseconds: Int64) {
    add(.firstMilliseconds, UInt64(max(0, milliseconds)))
    add(.firsts)
  }

  func store(_ backlog: DeliveryBacklog) {
    store(.pending, Int64(backlog.pending))
    store(.lagMilliseconds, backlog.lagMilliseconds)
  }

  private func add(_ counter: DeliveryCounter, _ amount: UInt64 = 1) {
    counters?.add(amount, to: counter.rawValue, slot: slot)
  }

  private func store(_ counter: DeliveryCounter, _ value: Int64) {
    counters?.store(UInt64(max(0, value)), in: counter.rawValue, slot: slot)
  }
}
