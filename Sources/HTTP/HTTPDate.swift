// A date of HTTP (RFC 9110 section 5.6.7): the fixed form that is sent, and the two obsolete ones, which a
// recipient has to read as well.

import System

package enum HTTPDate {
  /// Reads `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` or
  /// `Sun Nov  6 08:49:37 1994`. A leap second counts as the second after it; that the day of the week is
  /// the date's own is not checked.
  /// - Parameter now: Decides the century of a year of two digits: no more than 50 years ahead.
  /// - Returns: nil for anything else, and for dates that the calendar does not have.
  package static func timestamp(_ text: String, now: Timestamp) -> Timestamp? {
    let bytes = Array(text.utf8)
    let name = bytes.prefix { $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: " ") }
    let rest = bytes[name.endIndex...]
    guard let day = dayNames.first(where: { $0.utf8.starts(with: name) }) else { return nil }
    var fields: Fields?
    if name.count == 3 {
      fields =
        Fields(rest, as: ", DD MMM YYYY hh:mm:ss GMT") ?? Fields(rest, as: " MMM _D hh:mm:ss YYYY")
    } else if name.count == day.utf8.count {
      fields = Fields(rest, as: ", DD-MMM-YY hh:mm:ss GMT")
      fields?.parts.completeYear(now.components.year)
    }
    return fields?.timestamp
  }

  private static let dayNames = [
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
  ]
}

/// What a text has where a pattern has letters; any other character stands for itself, `_` for a digit or a
/// blank.
private struct Fields {
  var parts = Timestamp.Components(year: 0, month: 0, day: 0)
  private var month: [UInt8] = []

  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  init?(_ text: ArraySlice<UInt8>, as pattern: String) {
    guard text.count == pattern.utf8.count else { return nil }
    for (byte, place) in zip(text, pattern.utf8) {
      guard take(byte, place) else { return nil }
    }
    guard let index = Self.months.firstIndex(where: { $0.utf8.elementsEqual(month) }) else {
      return nil
    }
    parts.month = index + 1
  }

  private mutating func take(_ byte: UInt8, _ place: UInt8) -> Bool {
    let digit = (48...57).contains(byte) ? Int(byte - 48) : nil
    switch place {
    case UInt8(ascii: "Y"): return Self.add(digit, to: &parts.year)
    case UInt8(ascii: "D"): return Self.add(digit, to: &parts.day)
    case UInt8(ascii: "h"): return Self.add(digit, to: &parts.hour)
    case UInt8(ascii: "m"): return Self.add(digit, to: &parts.minute)
    case UInt8(ascii: "s"): return Self.add(digit, to: &parts.second)
    case UInt8(ascii: "_"):
      return byte == UInt8(ascii: " ") || Self.add(digit, to: &parts.day)
    case UInt8(ascii: "M") where month.count < 3:
      month.append(byte)
      return true
    default: return byte == place
    }
  }

  private static func add(_ digit: Int?, to number: inout Int) -> Bool {
    guard let digit else { return false }
    number = number * 10 + digit
    return true
  }

  var timestamp: Timestamp? {
    guard parts.hour < 24, parts.minute < 60, parts.second <= 60 else { return nil }
    var parts = parts
    let isLeapSecond = parts.second == 60
    if isLeapSecond { parts.second = 59 }
    let time = Timestamp(parts)
    return time.components == parts ? time.adding(seconds: isLeapSecond ? 1 : 0) : nil
  }
}

extension Timestamp.Components {
  fileprivate mutating func completeYear(_ now: Int) {
    year += now - now % 100
    if year > now + 50 { year -= 100 }
    if year <= now - 50 { year += 100 }
  }
}
