// A whole member in one call: `writer.member("callId", call.id)`; nil is written as null.

extension JSONWriter {
  package mutating func member(_ key: StaticString, _ value: String?) {
    self.key(key)
    if let value { string(value) } else { null() }
  }

  /// A word of an enumeration, an id of ours or a time: text that needs no escaping.
  package mutating func member(_ key: StaticString, plain value: String?) {
    self.key(key)
    if let value { string(plain: value.utf8Span.span) } else { null() }
  }

  package mutating func member(_ key: StaticString, _ value: Int64?) {
    self.key(key)
    if let value { int(value) } else { null() }
  }

  package mutating func member(_ key: StaticString, _ value: Int?) {
    member(key, value.map(Int64.init))
  }

  package mutating func member(_ key: StaticString, _ value: Double?) {
    self.key(key)
    if let value { double(value) } else { null() }
  }

  package mutating func member(_ key: StaticString, _ value: Bool?) {
    self.key(key)
    if let value { bool(value) } else { null() }
  }

  package mutating func member(_ key: StaticString, _ value: JSONValue) {
    self.key(key)
    value.write(to: &self)
  }
}

extension JSONValue {
  /// Members in the order of their names' bytes, so that the same value is the same text. Strings'
  /// own `<` will not do: for `é,` and an `e` with an accent behind it, neither precedes the other.
  package func write(to writer: inout JSONWriter) {
    switch self {
    case .null: writer.null()
    case .bool(let value): writer.bool(value)
    case .int(let value): writer.int(value)
    case .unsigned(let value): writer.raw(String(value))
    case .double(let value): writer.double(value)
    case .string(let value): writer.string(value)
    case .array(let elements):
      writer.beginArray()
      for element in elements { element.write(to: &writer) }
      writer.endArray()
    case .object(let members):
      writer.beginObject()
      let inOrder = members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      for (key, value) in inOrder {
        writer.key(text: key)
        value.write(to: &writer)
      }
      writer.endObject()
    }
  }

  package func serialized() -> [UInt8] {
    var writer = JSONWriter()
    write(to: &writer)
    return writer.bytes
  }
}
