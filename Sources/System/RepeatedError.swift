// An error that comes again and again, for the log.

/// Lets an error through when it is a new one, or the last time is long enough ago.
package struct RepeatedError {
  private let intervalMilliseconds: Int64
  private var text: String?
  private var reportedAt: Int64 = 0
  private var suppressed = 0

  package init(intervalMilliseconds: Int64) { self.intervalMilliseconds = intervalMilliseconds }

  /// - Returns: How often it was held back since the last time; nil where it is to be held back now.
  package mutating func report(_ text: String, at now: Int64) -> Int? {
    if text == self.text, now - reportedAt < intervalMilliseconds {
      suppressed += 1
      return nil
    }
    defer { (self.text, reportedAt, suppressed) = (text, now, 0) }
    return suppressed
  }
}
