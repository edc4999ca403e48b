// Numbers (RFC 8259 §6): the grammar is checked here, and integers are read as they pass.

extension JSONParser {
  /// Integers of at least this magnitude are not all exact as doubles, so none is taken for one.
  private static let exactDoubleLimit = Double(1 << 53)

  mutating func number(_ bytes: Span<UInt8>) throws(JSONError) -> JSONValue {
    let start = position
    let isNegative = bytes[position] == UInt8(ascii: "-")
    if isNegative { position += 1 }
    let magnitude = try integerPart(bytes)
    if try !fractionAndExponent(bytes), let magnitude,
      let integer = Self.integer(magnitude, isNegative: isNegative)
    {
      return integer
    }
    return try double(bytes, from: start)
  }

  /// nil where only a double has room for it.
  private static func integer(_ magnitude: UInt64, isNegative: Bool) -> JSONValue? {
    if isNegative { return Int64(exactly: -Int128(magnitude)).map { .int($0) } }
    return Int64(exactly: magnitude).map { .int($0) } ?? .unsigned(magnitude)
  }

  /// The digits before any point; nil where they do not fit 64 bits.
  private mutating func integerPart(_ bytes: Span<UInt8>) throws(JSONError) -> UInt64? {
    let start = position
    var value: UInt64? = 0
    while position < bytes.count, let digit = Self.digit(bytes[position]) {
      value = value.flatMap { value in
        let (tenfold, overflow) = value.multipliedReportingOverflow(by: 10)
        let (sum, carry) = tenfold.addingReportingOverflow(digit)
        return overflow || carry ? nil : sum
      }
      position += 1
    }
    guard position > start else { throw fault(bytes) }
    guard position == start + 1 || bytes[start] != UInt8(ascii: "0") else {
      throw JSONError(.invalidNumber, at: start)
    }
    return value
  }

  /// True where there is a fraction or an exponent.
  private mutating func fractionAndExponent(
    _ bytes: Span<UInt8>
  ) throws(JSONError) -> Bool {
    var found = false
    if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
      found = true
      position += 1
      try digits(bytes)
    }
    if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
      found = true
      position += 1
      let sign = try peek(bytes)
      if sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { position += 1 }
      try digits(bytes)
    }
    return found
  }

  private mutating func digits(_ bytes: Span<UInt8>) throws(JSONError) {
    let start = position
    while position < bytes.count, Self.digit(bytes[position]) != nil { position += 1 }
    guard position > start else { throw fault(bytes) }
  }

  private func double(
    _ bytes: Span<UInt8>, from start: Int
  ) throws(JSONError) -> JSONValue {
    var text = ""
    for offset in start..<position { text.unicodeScalars.append(Unicode.Scalar(bytes[offset])) }
    guard let value = Double(text) else { throw JSONError(.invalidNumber, at: start) }
    guard value.isFinite else { throw JSONError(.numberOutOfRange, at: start) }
    guard value.magnitude < Self.exactDoubleLimit else { return .double(value) }
    let integer = Int64(value)
    return Double(integer) == value ? .int(integer) : .double(value)
  }

  private func fault(_ bytes: Span<UInt8>) -> JSONError {
    JSONError(position < bytes.count ? .invalidNumber : .unexpectedEnd, at: position)
  }

  private static func digit(_ byte: UInt8) -> UInt64? {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) ? UInt64(byte & 0x0F) : nil
  }
}
