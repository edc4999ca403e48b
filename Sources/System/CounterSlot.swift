// One slot of ``SharedCounters`` and what is where in it. All processes of a pool have the same layout, so that any
// of them can add up what several have counted.

/// Additions are atomic: the threads of one process may share a slot.
package struct CounterSlot: Sendable {
  private let counters: SharedCounters?
  private let slot: Int

  /// Where nothing is counted.
  package static let none = CounterSlot(nil, slot: 0)

  package init(_ counters: SharedCounters?, slot: Int) {
    (self.counters, self.slot) = (counters, slot)
  }

  package func add(_ amount: UInt64 = 1, to counter: Int) {
    counters?.add(amount, to: counter, slot: slot)
  }

  package func add(_ counter: StoreCounter) { add(to: counter.rawValue) }

  package func store(_ value: UInt64, in counter: Int) {
    counters?.store(value, in: counter, slot: slot)
  }

  /// - Parameters:
  ///   - value: In the scale's unit; a negative one counts as 0.
  ///   - first: The first of the scale's places.
  package func observe(_ value: Int, _ scale: HistogramScale, from first: Int) {
    guard let counters else { return }
    let value = max(0, value)
    counters.add(UInt64(value), to: first, slot: slot)
    counters.add(to: first + 1 + scale.bucket(of: value), slot: slot)
  }
}

/// A program and the slots of those of its processes that are on this host.
package struct CountingProgram: Sendable {
  /// As the label `program` has it.
  package let name: String
  package let slots: Range<Int>

  package init(_ name: String, _ slots: Range<Int>) { (self.name, self.slots) = (name, slots) }
}

package enum CounterLayout {
  /// What each program counts in a slot of its own: ``WorkerCounter``, ``SupervisorCounter``, ``DeliveryCounter``.
  package static let own = 0..<64
  /// ``StoreCounter``.
  package static let stores = 64..<72
  /// Calls: Storage's `CallCounters`.
  package static let calls = 72..<128
  /// Requests by route: API's `RequestCounters`.
  package static let requests = 128..<1024
}

/// What a worker says of itself, after its process id.
package enum WorkerCounter: Int, CaseIterable, Sendable {
  /// When the request of the API began that it has in hand, in milliseconds of the monotonic clock; 0 where there is
  /// none.
  case busySince = 1
  /// When it began to wait for the WebSocket server's page of metrics, and when it last waited for it in vain, in
  /// milliseconds of the monotonic clock; 0 where it does not wait, and until it has.
  case signalingAskedAt, signalingSilentAt
}

/// Failures of the servers that a program works with, in any slot.
package enum StoreCounter: Int, CaseIterable, Sendable {
  /// A connection could not be made, broke, or its node refused to serve.
  case mysqlUnavailable = 64
  /// A transaction was given up for another: a deadlock, a lock that took too long.
  case mysqlConflict
  /// Anything else but a duplicate key.
  case mysqlOther
  /// Connections made in the place of one that was lost.
  case mysqlReconnections
  /// Commands without a reply, or refused.
  case redisErrors
  case redisReconnections
}

extension SharedCounters {
  package func histogram(_ scale: HistogramScale, from first: Int, over slots: Range<Int>)
    -> HistogramValues
  {
    var values = HistogramValues(scale)
    values.sum = sum(first, over: slots)
    for index in values.counts.indices {
      values.counts[index] = sum(first + 1 + index, over: slots)
    }
    return values
  }
}
