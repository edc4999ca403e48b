// Strings (RFC 8259 §7): UTF-8 is validated once, over the whole of the content.

extension JSONParser {
  /// Reads a string from its opening quotation mark to just past the closing one.
  mutating func string(_ bytes: Span<UInt8>) throws(JSONError) -> String {
    position += 1
    let start = position
    while true {
      let byte = try peek(bytes)
      if byte == UInt8(ascii: "\"") { break }
      if byte == UInt8(ascii: "\\") { return try stringWithEscapes(bytes, from: start) }
      guard byte >= 0x20 else { throw JSONError(.controlCharacter, at: position) }
      position += 1
    }
    let content = bytes.extracting(start..<position)
    position += 1
    return try validated(content, at: start)
  }

  /// The slow path, from the first backslash on: unescapes into an array of its own.
  private mutating func stringWithEscapes(
    _ bytes: Span<UInt8>, from start: Int
  ) throws(JSONError) -> String {
    var content: [UInt8] = []
    for offset in start..<position { content.append(bytes[offset]) }
    while true {
      let byte = try peek(bytes)
      switch byte {
      case UInt8(ascii: "\""):
        position += 1
        return try validated(content.span, at: start)
      case UInt8(ascii: "\\"):
        try appendEscape(bytes, to: &content)
      case 0..<0x20:
        throw JSONError(.controlCharacter, at: position)
      default:
        content.append(byte)
        position += 1
      }
    }
  }

  private mutating func appendEscape(
    _ bytes: Span<UInt8>, to content: inout [UInt8]
  ) throws(JSONError) {
    position += 1
    let byte = try peek(bytes)
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): content.append(byte)
    case UInt8(ascii: "b"): content.append(0x08)
    case UInt8(ascii: "f"): content.append(0x0C)
    case UInt8(ascii: "n"): content.append(0x0A)
    case UInt8(ascii: "r"): content.append(0x0D)
    case UInt8(ascii: "t"): content.append(0x09)
    case UInt8(ascii: "u"):
      content.append(contentsOf: try escapedScalar(bytes).utf8)
      return
    default:
      throw JSONError(.invalidEscape, at: position)
    }
    position += 1
  }

  /// From the `u` of an escape with four hexadecimal digits (RFC 8259 §7), through a second one where the first is a
  /// high surrogate.
  private mutating func escapedScalar(
    _ bytes: Span<UInt8>
  ) throws(JSONError) -> Unicode.Scalar {
    let start = position - 1
    let first = try fourHexDigits(bytes)
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard first < 0xDC00, position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
      bytes[position + 1] == UInt8(ascii: "u")
    else {
      throw JSONError(.loneSurrogate, at: start)
    }
    position += 1
    let second = try fourHexDigits(bytes)
    guard (0xDC00...0xDFFF).contains(second),
      let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    else {
      throw JSONError(.loneSurrogate, at: start)
    }
    return scalar
  }

  /// Steps over the `u` and the four digits after it.
  private mutating func fourHexDigits(_ bytes: Span<UInt8>) throws(JSONError) -> UInt32 {
    position += 1
    var value: UInt32 = 0
    for _ in 0..<4 {
      let byte = try peek(bytes)
      let digit: UInt8
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
      default: throw JSONError(.invalidEscape, at: position)
      }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }

  private func validated(
    _ content: Span<UInt8>, at start: Int
  ) throws(JSONError) -> String {
    do {
      return String(copying: try UTF8Span(validating: content))
    } catch {
      throw JSONError(.invalidUTF8, at: start + error.byteOffsets.lowerBound)
    }
  }
}
