// A strict parser of JSON texts (RFC 8259; contract §7.11).
//
// Refused, with the offset of the fault: invalid UTF-8, control characters in strings, lone
// surrogates, leading zeros, text after the value, and nesting deeper than `maximumDepth`. Of
// members with the same name the last one counts (RFC 8259 §4 leaves it open). Memory is bounded by
// a small multiple of the text's length, which the caller bounds before he has the text at all.

package struct JSONParser {
  /// Arrays and objects within each other; recursion goes no deeper than this.
  package static let maximumDepth = 32

  var position = 0
  private var depth = 0

  private init() {}

  package static func parse(_ bytes: [UInt8]) throws(JSONError) -> JSONValue {
    try parse(bytes.span)
  }

  package static func parse(_ bytes: Span<UInt8>) throws(JSONError) -> JSONValue {
    var parser = JSONParser()
    parser.skipSpace(bytes)
    let value = try parser.value(bytes)
    parser.skipSpace(bytes)
    guard parser.position == bytes.count else {
      throw JSONError(.trailingText, at: parser.position)
    }
    return value
  }

  private mutating func value(_ bytes: Span<UInt8>) throws(JSONError) -> JSONValue {
    switch try peek(bytes) {
    case UInt8(ascii: "\""):
      return .string(try string(bytes))
    case UInt8(ascii: "{"):
      return .object(try object(bytes))
    case UInt8(ascii: "["):
      return .array(try array(bytes))
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      return try number(bytes)
    case UInt8(ascii: "t"):
      try literal("true", bytes)
      return .bool(true)
    case UInt8(ascii: "f"):
      try literal("false", bytes)
      return .bool(false)
    case UInt8(ascii: "n"):
      try literal("null", bytes)
      return .null
    default:
      throw JSONError(.unexpectedByte, at: position)
    }
  }

  private mutating func object(
    _ bytes: Span<UInt8>
  ) throws(JSONError) -> [String: JSONValue] {
    try descend()
    defer { depth -= 1 }
    var members: [String: JSONValue] = [:]
    if try skip(UInt8(ascii: "}"), bytes) { return members }
    while true {
      guard try peek(bytes) == UInt8(ascii: "\"") else {
        throw JSONError(.unexpectedByte, at: position)
      }
      let key = try string(bytes)
      skipSpace(bytes)
      guard try peek(bytes) == UInt8(ascii: ":") else {
        throw JSONError(.unexpectedByte, at: position)
      }
      position += 1
      skipSpace(bytes)
      members[key] = try value(bytes)
      if try endsList(with: UInt8(ascii: "}"), bytes) { return members }
    }
  }

  private mutating func array(
    _ bytes: Span<UInt8>
  ) throws(JSONError) -> [JSONValue] {
    try descend()
    defer { depth -= 1 }
    var elements: [JSONValue] = []
    if try skip(UInt8(ascii: "]"), bytes) { return elements }
    while true {
      elements.append(try value(bytes))
      if try endsList(with: UInt8(ascii: "]"), bytes) { return elements }
    }
  }

  /// Steps over the opening bracket.
  private mutating func descend() throws(JSONError) {
    guard depth < Self.maximumDepth else { throw JSONError(.tooDeep, at: position) }
    depth += 1
    position += 1
  }

  /// White space and then, if it is there, the closing bracket of an empty list.
  private mutating func skip(
    _ close: UInt8, _ bytes: Span<UInt8>
  ) throws(JSONError) -> Bool {
    skipSpace(bytes)
    guard try peek(bytes) == close else { return false }
    position += 1
    return true
  }

  /// After an element: true at the closing bracket, false at a comma, past which it steps.
  private mutating func endsList(
    with close: UInt8, _ bytes: Span<UInt8>
  ) throws(JSONError) -> Bool {
    skipSpace(bytes)
    let byte = try peek(bytes)
    guard byte == close || byte == UInt8(ascii: ",") else {
      throw JSONError(.unexpectedByte, at: position)
    }
    position += 1
    if byte == close { return true }
    skipSpace(bytes)
    return false
  }

  private mutating func literal(
    _ text: StaticString, _ bytes: Span<UInt8>
  ) throws(JSONError) {
    for offset in 0..<text.utf8CodeUnitCount {
      guard try peek(bytes) == text.utf8Start[offset] else {
        throw JSONError(.unexpectedByte, at: position)
      }
      position += 1
    }
  }

  /// RFC 8259 §2: space, tab, line feed, carriage return.
  private mutating func skipSpace(_ bytes: Span<UInt8>) {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      default: return
      }
    }
  }

  func peek(_ bytes: Span<UInt8>) throws(JSONError) -> UInt8 {
    guard position < bytes.count else { throw JSONError(.unexpectedEnd, at: position) }
    return bytes[position]
  }
}
