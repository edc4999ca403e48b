// An instant in UTC with a resolution of a millisecond: what the wire (contract: ISO 8601, `Z`), the
// columns (DATETIME(3), R13.5) and the log carry.

import Glibc

package struct Timestamp: Sendable, Hashable, Comparable {
  /// Since 1970-01-01T00:00:00Z, leap seconds not counted; negative before.
  package var milliseconds: Int64

  package init(milliseconds: Int64) { self.milliseconds = milliseconds }

  package static func now() -> Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
  }

  /// Whole seconds since 1970, rounded down.
  package var seconds: Int64 {
    milliseconds >= 0 ? milliseconds / 1000 : (milliseconds - 999) / 1000
  }

  package static func < (left: Timestamp, right: Timestamp) -> Bool {
    left.milliseconds < right.milliseconds
  }

  package func adding(milliseconds: Int64) -> Timestamp {
    Timestamp(milliseconds: self.milliseconds + milliseconds)
  }

  package func adding(seconds: Int64) -> Timestamp {
    Timestamp(milliseconds: milliseconds + seconds * 1000)
  }

  /// A date and a time of day in the proleptic Gregorian calendar.
  package struct Components: Equatable, Sendable {
    package var year: Int, month: Int, day: Int
    package var hour: Int, minute: Int, second: Int, millisecond: Int

    package init(
      year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0,
      millisecond: Int = 0
    ) {
      (self.year, self.month, self.day) = (year, month, day)
      (self.hour, self.minute, self.second) = (hour, minute, second)
      self.millisecond = millisecond
    }
  }

  package init(_ parts: Components) {
    let days = Timestamp.days(year: parts.year, month: parts.month, day: parts.day)
    let seconds = days * 86_400 + parts.hour * 3600 + parts.minute * 60 + parts.second
    self.init(milliseconds: Int64(seconds) * 1000 + Int64(parts.millisecond))
  }

  package var components: Components {
    let seconds = Int(self.seconds)
    let days = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
    let ofDay = seconds - days * 86_400
    let (year, month, day) = Timestamp.date(days: days)
    return Components(
      year: year, month: month, day: day, hour: ofDay / 3600, minute: ofDay / 60 % 60,
      second: ofDay % 60, millisecond: Int(milliseconds - Int64(seconds) * 1000))
  }

  // Days since 1970-01-01 and back, by counting in eras of 400 years that begin on the first of
  // March, so that the leap day comes last (H. Hinnant, "chrono-Compatible Low-Level Date
  // Algorithms").
  private static func days(year: Int, month: Int, day: Int) -> Int {
    let y = month <= 2 ? year - 1 : year
    let era = (y >= 0 ? y : y - 399) / 400
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  private static func date(days: Int) -> (year: Int, month: Int, day: Int) {
    let z = days + 719_468
    let era = (z >= 0 ? z : z - 146_096) / 146_097
    let dayOfEra = z - era * 146_097
    let yearOfEra =
      (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    return (
      yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1
    )
  }
}
