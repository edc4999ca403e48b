// Numbers (RFC 8259 §6): the grammar is checked here, and integers are read as they pass.

extension JSONParser {
  /// Integers of at least this magnitude are not all exact as doubles, so none is taken for one.
  private static let exactDoubleLimit = Double(1 << 53)

  mutating func number(_ bytes: Span<UInt8>) throws(JSONError) -> JSONValue {
    let start = position
    let isNegative = bytes[position] == UInt8(ascii: "-")
    if isNegative { position += 1 }
    let digits = position
    let integer = try integerPart(bytes, isNegative: isNegative)
    let end = position
    if try !fractionAndExponent(bytes) {
      if let integer { return .int(integer) }
      if !isNegative, let value = Self.unsigned(bytes.extracting(digits..<end)) {
        return .unsigned(value)
      }
    }
    return try double(bytes, from: start)
  }

  /// The digits before any point; nil where they do not fit 64 bits.
  private mutating func integerPart(
    _ bytes: Span<UInt8>, isNegative: Bool
  ) throws(JSONError) -> Int64? {
    let start = position
    var value: Int64? = 0
    while position < bytes.count, let digit = Self.digit(bytes[position]) {
      value = value.flatMap { value in
        let (tenfold, overflow) = value.multipliedReportingOverflow(by: 10)
        let (sum, carry) =
          isNegative
          ? tenfold.subtractingReportingOverflow(digit) : tenfold.addingReportingOverflow(digit)
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

  /// nil where the digits do not fit UInt64.
  private static func unsigned(_ digits: Span<UInt8>) -> UInt64? {
    var value: UInt64 = 0
    for index in digits.indices {
      let (tenfold, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tenfold.addingReportingOverflow(UInt64(digits[index] & 0x0F))
      if overflow || carry { return nil }
      value = sum
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

  private static func digit(_ byte: UInt8) -> Int64? {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) ? Int64(byte & 0x0F) : nil
  }
}
