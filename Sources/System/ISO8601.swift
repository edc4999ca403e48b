// ISO 8601 as RFC 3339 profiles it: written in UTC with milliseconds and `Z`, read more freely (contract
// §7.16): without seconds, with any fraction, an offset of hours alone, a blank for the `T`, and UTC where no
// offset is given.

extension Timestamp {
  /// `2026-05-04T03:02:01.000Z`.
  package var iso8601: String {
    let text = iso8601Bytes
    return String(copying: UTF8Span(unchecked: text.span, isKnownASCII: true))
  }

  /// The same as its bytes, which need no memory of their own.
  package var iso8601Bytes: InlineArray<24, UInt8> {
    let parts = components
    var buffer = InlineArray<24, UInt8>(repeating: UInt8(ascii: "0"))
    func put(_ value: Int, _ at: Int) {
      buffer[at] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / 10)
      buffer[at + 1] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value % 10)
    }
    put(parts.year / 100, 0)
    put(parts.year % 100, 2)
    put(parts.month, 5)
    put(parts.day, 8)
    put(parts.hour, 11)
    put(parts.minute, 14)
    put(parts.second, 17)
    put(parts.millisecond / 10, 20)
    buffer[22] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: parts.millisecond % 10)
    (buffer[4], buffer[7]) = (UInt8(ascii: "-"), UInt8(ascii: "-"))
    (buffer[13], buffer[16]) = (UInt8(ascii: ":"), UInt8(ascii: ":"))
    (buffer[10], buffer[19], buffer[23]) = (
      UInt8(ascii: "T"), UInt8(ascii: "."), UInt8(ascii: "Z")
    )
    return buffer
  }

  /// Reads `2026-05-04T03:02[:01[.123…]][Z|+02|+0200|+02:00]`; nil for anything else, for dates that the
  /// calendar does not have, and where UTC's year is none of 0000–9999, which four digits write. A leap
  /// second counts as the second after it.
  package init?(iso8601 text: String) {
    var scanner = DateScanner(bytes: Array(text.utf8))
    guard text.utf8.count <= 64, var parts = scanner.dateAndTime(),
      let offsetMinutes = scanner.offsetMinutes(), scanner.isAtEnd
    else { return nil }
    let isLeapSecond = parts.second == 60
    if isLeapSecond { parts.second = 59 }
    let local = Timestamp(parts)
    guard local.components == parts else { return nil }
    self = local.adding(seconds: -60 * Int64(offsetMinutes) + (isLeapSecond ? 1 : 0))
    guard (0...9999).contains(components.year) else { return nil }
  }
}

private struct DateScanner {
  let bytes: [UInt8]
  var position = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { position == bytes.count }

  mutating func take(_ allowed: String) -> Bool {
    guard position < bytes.count, allowed.utf8.contains(bytes[position]) else { return false }
    position += 1
    return true
  }

  mutating func number(digits: Int) -> Int? {
    guard position + digits <= bytes.count else { return nil }
    var value = 0
    for byte in bytes[position..<position + digits] {
      guard (48...57).contains(byte) else { return nil }
      value = value * 10 + Int(byte - 48)
    }
    position += digits
    return value
  }

  /// Milliseconds of a fraction of any length; digits beyond the third are dropped.
  mutating func fraction() -> Int? {
    var value = 0
    var digits = 0
    while let digit = number(digits: 1) {
      if digits < 3 { value = value * 10 + digit }
      digits += 1
    }
    guard digits > 0 else { return nil }
    for _ in stride(from: digits, to: 3, by: 1) { value *= 10 }
    return value
  }

  mutating func dateAndTime() -> Timestamp.Components? {
    guard let year = number(digits: 4), take("-"), let month = number(digits: 2), take("-"),
      let day = number(digits: 2), take("Tt "), let hour = number(digits: 2), take(":"),
      let minute = number(digits: 2), let (second, millisecond) = seconds()
    else { return nil }
    guard (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60
    else { return nil }
    return Timestamp.Components(
      year: year, month: month, day: day, hour: hour, minute: minute, second: second,
      millisecond: millisecond)
  }

  /// Seconds and milliseconds; 0 where none are given.
  private mutating func seconds() -> (Int, Int)? {
    guard take(":") else { return (0, 0) }
    guard let second = number(digits: 2) else { return nil }
    guard take(".,") else { return (second, 0) }
    return fraction().map { (second, $0) }
  }

  mutating func offsetMinutes() -> Int? {
    if isAtEnd || take("Zz") { return 0 }
    let sign = take("-") ? -1 : take("+") ? 1 : 0
    guard sign != 0, let hours = number(digits: 2) else { return nil }
    var minutes = 0
    if take(":") || !isAtEnd {
      guard let number = number(digits: 2) else { return nil }
      minutes = number
    }
    guard hours < 24, minutes < 60 else { return nil }
    return sign * (hours * 60 + minutes)
  }
}
