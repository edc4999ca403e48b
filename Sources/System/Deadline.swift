// A moment of the monotonic clock by which something has to be done.

package struct Deadline: Sendable, Comparable {
  /// Of the monotonic clock.
  let microseconds: Int64

  package init(milliseconds: Int32) {
    microseconds = MonotonicClock.microseconds() + Int64(milliseconds) * 1000
  }

  package var hasPassed: Bool { remainingMilliseconds <= 0 }

  /// Rounded up, so that who sleeps as long finds it passed; 0 once it has passed.
  package var remainingMilliseconds: Int32 {
    let rest = max(microseconds - MonotonicClock.microseconds(), 0)
    return Int32(clamping: (rest + 999) / 1000)
  }

  package static func < (left: Deadline, right: Deadline) -> Bool {
    left.microseconds < right.microseconds
  }
}
