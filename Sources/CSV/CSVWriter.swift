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
    var isPlain = true
    for byte in text.utf8 where ",\"\r\n".utf8.contains(byte) { isPlain = false }
    if !isPlain { bytes.append(UInt8(ascii: "\"")) }
    if Self.isFormula(text) { bytes.append(UInt8(ascii: "'")) }
    for byte in text.utf8 {
      if byte == UInt8(ascii: "\"") { bytes.append(byte) }
      bytes.append(byte)
    }
    if !isPlain { bytes.append(UInt8(ascii: "\"")) }
  }

  /// A text that needs no quotes and is no formula: an id of ours, a word of an enumeration, a time.
  package mutating func field(plain text: Span<UInt8>) {
    separate()
    text.withUnsafeBufferPointer { bytes.append(contentsOf: $0) }
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

  private static func isFormula(_ text: String) -> Bool {
    guard let first = text.utf8.first, "=+-@\t\r".utf8.contains(first) else { return false }
    let isSigned = "+-".utf8.contains(first)
    let rest = text.utf8.dropFirst()
    return !isSigned || rest.isEmpty || !rest.allSatisfy { (48...57).contains($0) }
  }
}
