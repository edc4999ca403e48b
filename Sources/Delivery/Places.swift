// How many requests may run at once, and which (contract §8.2): retries take no more than half of the places,
// so that a receiver that hangs for some calls does not hold up the others.

import Storage

package struct Places: Sendable {
  package let total: Int
  private var taken: [DeliveryQueue: Int] = [:]
  private var favoursRetries = false

  /// - Parameter total: 1 or more.
  package init(total: Int) { self.total = total }

  package var inFlight: Int { taken.values.reduce(0, +) }

  private var free: Int { total - inFlight }

  private var retryRoom: Int {
    min(free, max(1, total / 2) - taken[.retry, default: 0])
  }

  /// The queues in the order in which places are to be given to them, once a round.
  package mutating func order() -> [DeliveryQueue] {
    // With one place left, both get their turn.
    favoursRetries.toggle()
    return free == 1 && favoursRetries ? [.retry, .fresh, .kick] : [.fresh, .retry, .kick]
  }

  /// How many of a queue may begin now.
  package func room(for queue: DeliveryQueue) -> Int {
    switch queue {
    case .fresh:
      // Retries keep a place where there is more than one.
      free > 1 && taken[.retry, default: 0] == 0 ? free - 1 : free
    case .retry: retryRoom
    case .kick: free
    }
  }

  package mutating func take(_ queue: DeliveryQueue) { taken[queue, default: 0] += 1 }

  package mutating func give(_ queue: DeliveryQueue) { taken[queue, default: 0] -= 1 }
}
