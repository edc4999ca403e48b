// The clock that only goes forward: what durations, back-offs and graces are measured with
// (clock_gettime(2), CLOCK_MONOTONIC).

import Glibc

package enum MonotonicClock {
  package static func microseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
  }

  package static func milliseconds() -> Int64 { microseconds() / 1000 }
}
