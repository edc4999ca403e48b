// When a worker that has died is started again: at once the first time, ever later where it keeps
// dying young, and one at a time while the whole pool keeps crashing. Never not at all: what broke
// it (a full disk, a half-installed file) may be mended without anybody thinking of the supervisor.

/// The back-off of one slot.
package struct Backoff: Sendable, Equatable {
  /// A worker that lives for longer has not failed to start.
  package static let youthMilliseconds: Int64 = 10_000
  package static let firstMilliseconds: Int64 = 100
  package static let lastMilliseconds: Int64 = 5_000

  /// Workers in a row that died young.
  package private(set) var failures = 0

  package init() {}

  /// - Parameter ageMilliseconds: How long the worker that ended had run.
  /// - Returns: How long to wait before the next one, in milliseconds: 0, 100, 200, 400 … 5000.
  package mutating func delay(afterAge ageMilliseconds: Int64) -> Int64 {
    guard ageMilliseconds < Self.youthMilliseconds else {
      failures = 0
      return 0
    }
    failures += 1
    if failures == 1 { return 0 }
    return min(Self.lastMilliseconds, Self.firstMilliseconds << min(failures - 2, 16))
  }
}

/// The breaker of the whole pool (as php-fpm's emergency_restart_threshold, but it slows restarts
/// down where that kills what still works).
package struct CrashRate: Sendable, Equatable {
  package static let windowMilliseconds: Int64 = 60_000
  /// Between two starts while the pool is slowed down.
  package static let slowStartMilliseconds: Int64 = 1_000

  /// Crashes within the window that are still taken as chance.
  package let threshold: Int
  private var crashes: [Int64] = []

  /// - Parameter workers: The size of the pool.
  package init(workers: Int) { threshold = max(32, 6 * workers) }

  package mutating func record(at now: Int64) {
    crashes.append(now)
    // More are not needed to know that there were too many.
    if crashes.count > threshold + 1 { crashes.removeFirst() }
  }

  package func isExceeded(at now: Int64) -> Bool {
    crashes.count > threshold && now - crashes[0] < Self.windowMilliseconds
  }
}
