// A JSON value in memory (RFC 8259 §3), and how the rest of the code looks into one.

/// Numbers that are integers and fit are `.int`, or `.unsigned` where only UInt64 has room for them (a
/// host's BIGINT UNSIGNED id), all others `.double`: `1`, `1.0` and `1e0` are the
/// same number to RFC 8259 §6, and clients (Dart's among them) write whole doubles as `1.0`.
package enum JSONValue: Equatable, Sendable {
  case null
  case bool(Bool)
  case int(Int64)
  /// More than Int64.max.
  case unsigned(UInt64)
  case double(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])
}

extension JSONValue {
  /// The member of that name; nil where there is none or this is not an object.
  package subscript(_ key: String) -> JSONValue? { objectValue?[key] }

  package var stringValue: String? {
    if case .string(let value) = self { value } else { nil }
  }

  /// A string, or an integer's decimal digits: how a client may write an id (contract §1).
  package var textOrDigits: String? {
    switch self {
    case .string(let value): value
    case .int(let value): String(value)
    case .unsigned(let value): String(value)
    default: nil
    }
  }

  package var intValue: Int64? {
    if case .int(let value) = self { value } else { nil }
  }

  /// Any number, an integer included.
  package var doubleValue: Double? {
    switch self {
    case .double(let value): value
    case .int(let value): Double(value)
    case .unsigned(let value): Double(value)
    default: nil
    }
  }

  package var boolValue: Bool? {
    if case .bool(let value) = self { value } else { nil }
  }

  package var arrayValue: [JSONValue]? {
    if case .array(let value) = self { value } else { nil }
  }

  package var objectValue: [String: JSONValue]? {
    if case .object(let value) = self { value } else { nil }
  }

  package var isNull: Bool { self == .null }
}

// Literals, so that `["event": "started", "port": 8443]` is a value where one is expected.

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral, ExpressibleByNilLiteral,
  ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  package init(stringLiteral value: String) { self = .string(value) }
  package init(integerLiteral value: Int64) { self = .int(value) }
  package init(floatLiteral value: Double) { self = .double(value) }
  package init(booleanLiteral value: Bool) { self = .bool(value) }
  package init(nilLiteral: ()) { self = .null }
  package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  package init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(Dictionary(elements, uniquingKeysWith: { _, last in last }))
  }
}
