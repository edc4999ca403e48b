// Writes comma-separated values (RFC 4180): records end with CRLF, a field is quoted where it has a comma,
// a quote or a line break in it, and a quote in it is doubled.
//
// A spreadsheet takes a text that begins with `=`, `+`, `-`, `@`, a tab or a carriage return for a formula
// (OWASP, "CSV Injection"), and some texts are a client's own. Such a one gets an apostrophe in front, which
// spreadsheets read as "this is text"; a whole number with a sign, such as a telephone number, does not.

package struct CSVWriter {
  /// What has been written so far.
  package private(set) var bytes: [UInt8] = []
  private var isFirst = true

  package init(reserving capacity: Int = 256) { bytes.reserveCapacity(capacity) }

  /// Forgets what has been written.
  package mutating func reset() {
    bytes.removeAll(keepingCapacity: true)
    isFirst = true
  }

  /// A text; nil is an empty field.
  package mutating func field(_ text: String?) {
    separate()
    guard let text else { return }
    let utf8 = text.utf8Span.span
    let isFormula = Self.isFormula(utf8)
    if Self.needsQuotes(utf8) {
      bytes.append(UInt8(ascii: "\""))
      if isFormula { bytes.append(UInt8(ascii: "'")) }
      for index in utf8.indices {
        if utf8[index] == UInt8(ascii: "\"") { bytes.append(utf8[index]) }
        bytes.append(utf8[index])
      }
      bytes.append(UInt8(ascii: "\""))
    } else {
      if isFormula { bytes.append(UInt8(ascii: "'")) }
      append(utf8)
    }
  }

  /// A text that needs no quotes and is no formula: an id of ours, a word of an enumeration, a time.
  package mutating func field(plain text: Span<UInt8>) {
    separate()
    append(text)
  }

  package mutating func field(_ number: Int) { field(plain: String(number).utf8Span.span) }

  /// The shortest text that reads back as the same value; nil is an empty field.
  package mutating func field(_ number: Double?) {
    guard let number else { return separate() }
    field(plain: number.description.utf8Span.span)
  }

  package mutating func endRecord() {
    bytes.append(UInt8(ascii: "\r"))
    bytes.append(UInt8(ascii: "\n"))
    isFirst = true
  }

  private mutating func separate() {
    if !isFirst { bytes.append(UInt8(ascii: ",")) }
    isFirst = false
  }

  private mutating func append(_ text: Span<UInt8>) {
    text.withUnsafeBufferPointer { bytes.append(contentsOf: $0) }
  }

  private static func needsQuotes(_ text: Span<UInt8>) -> Bool {
    for index in text.indices {
      switch text[index] {
      case UInt8(ascii: ","), UInt8(ascii: "\""), UInt8(ascii: "\r"), UInt8(ascii: "\n"):
        return true
      default: continue
      }
    }
    return false
  }

  private static func isFormula(_ text: Span<UInt8>) -> Bool {
    guard !text.isEmpty else { return false }
    switch text[0] {
    case UInt8(ascii: "="), UInt8(ascii: "@"), UInt8(ascii: "\t"), UInt8(ascii: "\r"): return true
    case UInt8(ascii: "+"), UInt8(ascii: "-"):
      for index in 1..<text.count where !(48...57).contains(text[index]) { return true }
      return text.count == 1
    default: return false
    }
  }
}
