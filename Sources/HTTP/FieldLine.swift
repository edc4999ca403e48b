// A field line of a head, `field-name ":" OWS field-value OWS` (RFC 9112 section 5), read and written.

enum FieldLine {
  /// Where name and value are in a line without its CRLF; nil where it is none: no colon, white space before
  /// it (a folded line begins so), a control character in the value.
  static func ranges(in line: Span<UInt8>) -> (name: Range<Int>, value: Range<Int>)? {
    var colon = 0
    while colon < line.count, HTTPText.isTokenCharacter(line[colon]) { colon += 1 }
    guard colon > 0, colon < line.count, line[colon] == UInt8(ascii: ":") else { return nil }
    guard let value = value(in: line, from: colon + 1) else { return nil }
    return (0..<colon, value)
  }

  /// What is left from `start` on without the white space around it; nil where it has control characters.
  static func value(in line: Span<UInt8>, from start: Int) -> Range<Int>? {
    var first = start
    var end = line.count
    while first < end, isWhiteSpace(line[first]) { first += 1 }
    while end > first, isWhiteSpace(line[end - 1]) { end -= 1 }
    for index in first..<end where !HTTPText.isFieldCharacter(line[index]) { return nil }
    return first..<end
  }

  /// Should a value hold a control character, it is written as a space, so that no value can end its line.
  static func append(_ name: String, _ value: String, to bytes: inout [UInt8]) {
    bytes += name.utf8
    bytes += ": ".utf8
    let start = bytes.count
    bytes += value.utf8
    for index in start..<bytes.count where !HTTPText.isFieldCharacter(bytes[index]) {
      bytes[index] = UInt8(ascii: " ")
    }
    bytes += "\r\n".utf8
  }

  static func isWhiteSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
}
