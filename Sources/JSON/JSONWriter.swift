// Writes JSON (RFC 8259) straight into an array of bytes: commas by itself, no tree in between.

/// Calls must come in the order of the text: `beginObject`, `key`, a value, …, `endObject`. Strings
/// are escaped as RFC 8259 §7 demands and no further.
package struct JSONWriter {
  /// What has been written so far.
  package private(set) var bytes: [UInt8] = []
  /// Whether a value stands before the next one in the same list.
  private var needsComma = false

  /// - Parameter capacity: bytes to set aside; it grows beyond them where it must.
  package init(reserving capacity: Int = 256) {
    bytes.reserveCapacity(capacity)
  }

  package mutating func beginObject() { open(UInt8(ascii: "{")) }
  package mutating func endObject() { close(UInt8(ascii: "}")) }
  package mutating func beginArray() { open(UInt8(ascii: "[")) }
  package mutating func endArray() { close(UInt8(ascii: "]")) }

  /// The name of the next member.
  package mutating func key(_ name: String) {
    separate()
    appendQuoted(name)
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }

  package mutating func string(_ value: String) {
    separate()
    appendQuoted(value)
  }

  /// A string from its UTF-8.
  package mutating func string(utf8: Span<UInt8>) {
    separate()
    appendQuoted(utf8)
  }

  package mutating func int(_ value: Int64) {
    separate()
    if value < 0 { bytes.append(UInt8(ascii: "-")) }
    appendDecimal(value.magnitude)
  }

  package mutating func int(_ value: Int) { int(Int64(value)) }

  /// The shortest text that reads back as the same value; infinities and NaN, which JSON lacks,
  /// become null.
  package mutating func double(_ value: Double) {
    raw(value.isFinite ? value.description : "null")
  }

  package mutating func bool(_ value: Bool) { raw(value ? "true" : "false") }

  package mutating func null() { raw("null") }

  /// A value that is JSON text already.
  package mutating func raw(_ json: [UInt8]) {
    separate()
    bytes.append(contentsOf: json)
  }

  /// A value that is JSON text already.
  package mutating func raw(_ json: String) {
    separate()
    bytes.append(contentsOf: json.utf8)
  }

  private mutating func open(_ bracket: UInt8) {
    separate()
    bytes.append(bracket)
    needsComma = false
  }

  private mutating func close(_ bracket: UInt8) {
    bytes.append(bracket)
    needsComma = true
  }

  private mutating func separate() {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
    needsComma = true
  }
}

// Text, without intermediate allocations.

extension JSONWriter {
  private static let hexDigits: StaticString = "0123456789abcdef"

  private mutating func appendQuoted(_ text: String) { appendQuoted(text.utf8Span.span) }

  private mutating func appendQuoted(_ utf8: Span<UInt8>) {
    bytes.append(UInt8(ascii: "\""))
    if Self.isPlain(utf8) {
      append(utf8)
    } else {
      appendEscaping(utf8)
    }
    bytes.append(UInt8(ascii: "\""))
  }

  private mutating func appendEscaping(_ utf8: Span<UInt8>) {
    var start = 0
    for index in utf8.indices where Self.mustEscape(utf8[index]) {
      append(utf8.extracting(start..<index))
      appendEscape(utf8[index])
      start = index + 1
    }
    append(utf8.extracting(start..<utf8.count))
  }

  private mutating func append(_ run: Span<UInt8>) {
    run.withUnsafeBufferPointer { bytes.append(contentsOf: $0) }
  }

  /// Whether nothing in the text has to be escaped, looked at eight bytes at a time: most texts are
  /// ids and words of enumerations, and a page of the history has five hundred.
  private static func isPlain(_ utf8: Span<UInt8>) -> Bool {
    utf8.withUnsafeBytes { raw in
      var index = 0
      while index + 8 <= raw.count {
        if mayNeedEscape(raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)) { return false }
        index += 8
      }
      while index < raw.count {
        if mustEscape(raw[index]) { return false }
        index += 1
      }
      return true
    }
  }

  /// Whether one of eight bytes is below 0x20, a quotation mark or a backslash: the high bit of a byte
  /// is set where a subtraction borrowed for it (H. S. Warren, "Hacker's Delight", 6-1).
  private static func mayNeedEscape(_ word: UInt64) -> Bool {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let quote = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
    let backslash = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
    let borrowed =
      (word &- ones &* 0x20) & ~word | (quote &- ones) & ~quote | (backslash &- ones) & ~backslash
    return borrowed & (ones &* 0x80) != 0
  }

  private static func mustEscape(_ byte: UInt8) -> Bool {
    byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
  }

  private mutating func appendEscape(_ byte: UInt8) {
    bytes.append(UInt8(ascii: "\\"))
    switch byte {
    case 0x08: bytes.append(UInt8(ascii: "b"))
    case 0x09: bytes.append(UInt8(ascii: "t"))
    case 0x0A: bytes.append(UInt8(ascii: "n"))
    case 0x0C: bytes.append(UInt8(ascii: "f"))
    case 0x0D: bytes.append(UInt8(ascii: "r"))
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
    default:
      bytes.append(contentsOf: "u00".utf8)
      bytes.append(Self.hexDigits.utf8Start[Int(byte >> 4)])
      bytes.append(Self.hexDigits.utf8Start[Int(byte & 0x0F)])
    }
  }

  private mutating func appendDecimal(_ value: UInt64) {
    var digits = InlineArray<20, UInt8>(repeating: 0)  // UInt64.max has 20 digits
    var start = digits.count
    var rest = value
    repeat {
      start -= 1
      digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    } while rest > 0
    for index in start..<digits.count { bytes.append(digits[index]) }
  }
}
