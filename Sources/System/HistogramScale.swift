// The buckets of a histogram of times, and what was counted in them.

/// Counted in consecutive places: the sum of all values, then a count for each bucket, of which the last has no
/// upper bound.
package struct HistogramScale: Sendable {
  /// Upper bounds, inclusive, ascending.
  package let bounds: [Int]
  /// What values and bounds are in: 1,000,000 for microseconds, 1000 for milliseconds.
  package let unitsPerSecond: Double

  package init(_ bounds: [Int], unitsPerSecond: Double) {
    (self.bounds, self.unitsPerSecond) = (bounds, unitsPerSecond)
  }

  package var buckets: Int { bounds.count + 1 }

  /// The sum's and the buckets'.
  package var places: Int { buckets + 1 }

  package func bucket(of value: Int) -> Int {
    var index = 0
    while index < bounds.count, value > bounds[index] { index += 1 }
    return index
  }

  package func seconds(_ value: Int) -> Double { Double(value) / unitsPerSecond }
}

package struct HistogramValues: Sendable, Equatable {
  /// Of all values, in the scale's unit.
  package var sum: UInt64 = 0
  /// By bucket, not cumulative.
  package var counts: [UInt64]

  package init(_ scale: HistogramScale) { counts = Array(repeating: 0, count: scale.buckets) }

  /// - Parameter value: A negative one, of clocks that disagree, counts as 0.
  package mutating func observe(_ value: Int, _ scale: HistogramScale) {
    let value = max(0, value)
    sum &+= UInt64(value)
    counts[scale.bucket(of: value)] += 1
  }
}
