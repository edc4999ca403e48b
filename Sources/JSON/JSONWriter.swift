// Writes JSON (RFC 8259) straight into one block of memory: commas by itself, no tree in between.

/// Calls must come in the order of the text: `beginObject`, `key`, a value, …, `endObject`. Strings
/// are escaped as RFC 8259 §7 demands and no further.
package struct JSONWriter: ~Copyable {
  private var start: UnsafeMutablePointer<UInt8>
  private var capacity: Int
  private var count = 0
  /// Whether a value stands before the next one in the same list.
  private var needsComma = false

  /// - Parameter capacity: bytes to set aside; it grows beyond them where it must.
  package init(reserving capacity: Int = 256) {
    self.capacity = max(capacity, 16)
    start = .allocate(capacity: self.capacity)
  }

  deinit { start.deallocate() }

  /// What has been written so far.
  package var bytes: [UInt8] { [UInt8](UnsafeBufferPointer(start: start, count: count)) }

  /// Forgets what has been written.
  package mutating func reset() { (count, needsComma) = (0, false) }

  package mutating func beginObject() { open(UInt8(ascii: "{")) }
  package mutating func endObject() { close(UInt8(ascii: "}")) }
  package mutating func beginArray() { open(UInt8(ascii: "[")) }
  package mutating func endArray() { close(UInt8(ascii: "]")) }

  /// The name of the next member: a literal without characters that would have to be escaped.
  package mutating func key(_ name: StaticString) {
    reserve(name.utf8CodeUnitCount + 4)
    separateReserved()
    quoteReserved(UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    putReserved(UInt8(ascii: ":"))
    needsComma = false
  }

  /// The name of the next member, any text.
  package mutating func key(text: String) {
    string(text)
    put(UInt8(ascii: ":"))
    needsComma = false
  }

  package mutating func string(_ value: String) { string(utf8: value.utf8Span.span) }

  /// A string from its UTF-8.
  package mutating func string(utf8: Span<UInt8>) {
    separate()
    utf8.withUnsafeBufferPointer { text in
      if Self.isPlain(text) {
        reserve(text.count + 2)
        quoteReserved(text)
      } else {
        put(UInt8(ascii: "\""))
        appendEscaping(text)
        put(UInt8(ascii: "\""))
      }
    }
  }

  /// A string that is known to need no escaping: an id of ours, a word of an enumeration, a time.
  package mutating func string(plain utf8: Span<UInt8>) {
    separate()
    utf8.withUnsafeBufferPointer { text in
      reserve(text.count + 2)
      quoteReserved(text)
    }
  }

  package mutating func int(_ value: Int64) {
    separate()
    if value < 0 { put(UInt8(ascii: "-")) }
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
    json.withUnsafeBufferPointer { append($0) }
  }

  /// A value that is JSON text already.
  package mutating func raw(_ json: String) {
    separate()
    json.utf8Span.span.withUnsafeBufferPointer { append($0) }
  }

  private mutating func open(_ bracket: UInt8) {
    separate()
    put(bracket)
    needsComma = false
  }

  private mutating func close(_ bracket: UInt8) {
    put(bracket)
    needsComma = true
  }

  private mutating func separate() {
    reserve(1)
    separateReserved()
  }
}

// The block of memory.

extension JSONWriter {
  /// Makes room for so many bytes more.
  @inline(__always)
  private mutating func reserve(_ more: Int) {
    if capacity - count < more { grow(more) }
  }

  @inline(never)
  private mutating func grow(_ more: Int) {
    let wanted = max(capacity * 2, count + more)
    let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: wanted)
    larger.update(from: start, count: count)
    start.deallocate()
    (start, capacity) = (larger, wanted)
  }

  private mutating func put(_ byte: UInt8) {
    reserve(1)
    putReserved(byte)
  }

  private mutating func append(_ text: UnsafeBufferPointer<UInt8>) {
    reserve(text.count)
    appendReserved(text)
  }

  // What follows takes for granted that there is room.

  @inline(__always)
  private mutating func putReserved(_ byte: UInt8) {
    start[count] = byte
    count += 1
  }

  @inline(__always)
  private mutating func appendReserved(_ text: UnsafeBufferPointer<UInt8>) {
    if let source = text.baseAddress { (start + count).update(from: source, count: text.count) }
    count += text.count
  }

  @inline(__always)
  private mutating func separateReserved() {
    if needsComma { putReserved(UInt8(ascii: ",")) }
    needsComma = true
  }

  @inline(__always)
  private mutating func quoteReserved(_ text: UnsafeBufferPointer<UInt8>) {
    putReserved(UInt8(ascii: "\""))
    appendReserved(text)
    putReserved(UInt8(ascii: "\""))
  }
}

// Text and numbers.

extension JSONWriter {
  private static let hexDigits: StaticString = "0123456789abcdef"

  private mutating func appendEscaping(_ text: UnsafeBufferPointer<UInt8>) {
    var start = 0
    for index in text.indices where Self.mustEscape(text[index]) {
      append(UnsafeBufferPointer(rebasing: text[start..<index]))
      appendEscape(text[index])
      start = index + 1
    }
    append(UnsafeBufferPointer(rebasing: text[start...]))
  }

  /// Whether nothing in the text has to be escaped, looked at eight bytes at a time: most texts are
  /// ids and names, and a page of the history has a hundred.
  private static func isPlain(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    let raw = UnsafeRawBufferPointer(text)
    guard raw.count >= 8 else {
      for byte in raw where mustEscape(byte) { return false }
      return true
    }
    var index = 0
    while index + 8 <= raw.count {
      if mayNeedEscape(raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)) { return false }
      index += 8
    }
    // The last eight, some of which have been looked at.
    return !mayNeedEscape(raw.loadUnaligned(fromByteOffset: raw.count - 8, as: UInt64.self))
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
    put(UInt8(ascii: "\\"))
    switch byte {
    case 0x08: put(UInt8(ascii: "b"))
    case 0x09: put(UInt8(ascii: "t"))
    case 0x0A: put(UInt8(ascii: "n"))
    case 0x0C: put(UInt8(ascii: "f"))
    case 0x0D: put(UInt8(ascii: "r"))
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): put(byte)
    default:
      for digit in "u00".utf8 { put(digit) }
      put(Self.hexDigits.utf8Start[Int(byte >> 4)])
      put(Self.hexDigits.utf8Start[Int(byte & 0x0F)])
    }
  }

  private mutating func appendDecimal(_ value: UInt64) {
    var digits = InlineArray<20, UInt8>(repeating: 0)  // UInt64.max has 20 digits
    var first = digits.count
    var rest = value
    repeat {
      first -= 1
      digits[first] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    } while rest > 0
    reserve(digits.count)
    for index in first..<digits.count { putReserved(digits[index]) }
  }
}
