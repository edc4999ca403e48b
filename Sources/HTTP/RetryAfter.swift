// How long a server wants to be left alone: the field `Retry-After` (RFC 9110 section 10.2.3), a number of
// seconds or a date.

import System

package enum RetryAfter {
  /// - Parameter maximumSeconds: What a longer time becomes.
  /// - Returns: Seconds from `now` on, rounded up, 0 where the date has passed; nil where the value is
  ///   neither of the two.
  package static func seconds(_ value: String, now: Timestamp, maximumSeconds: Int) -> Int? {
    if !value.isEmpty, value.utf8.allSatisfy({ (48...57).contains($0) }) {
      return min(Int(value) ?? .max, maximumSeconds)
    }
    guard let date = HTTPDate.timestamp(value, now: now) else { return nil }
    let seconds = (max(date.milliseconds - now.milliseconds, 0) + 999) / 1000
    return min(Int(seconds), maximumSeconds)
  }
}
