// A moment of the monotonic clock by which something has to be done.

package struct Deadline: Sendable, Comparable {
  private let moment: Int64

  package init(milliseconds: Int32) {
    moment = MonotonicClock.microseconds() + Int64(milliseconds) * 1000
  }

  package var hasPassed: Bool { remainingMilliseconds <= 0 }

  /// Rounded up, so that who sleeps as long finds it passed; 0 once it has passed.
  package var remainingMilliseconds: Int32 {
    let microseconds = max(moment - MonotonicClock.microseconds(), 0)
    return Int32(clamping: (microseconds + 999) / 1000)
  }

  package static func < (left: Deadline, right: Deadline) -> Bool { left.moment < right.moment }
}
