// Header fields, RFC 9110 section 5: an ordered list whose names are compared without case.
//
// A request has a dozen fields, so a linear look through a small array beats hashing, and the order
// in which a response's fields were set is the order in which they are sent.

package struct HTTPHeaders: Sendable, Equatable, ExpressibleByDictionaryLiteral {
  package struct Field: Sendable, Equatable {
    package var name: String
    package var value: String

    package init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  package private(set) var fields: [Field]

  package init() { fields = [] }

  package init(dictionaryLiteral elements: (String, String)...) {
    fields = elements.map { Field(name: $0.0, value: $0.1) }
  }

  package var isEmpty: Bool { fields.isEmpty }
  package var count: Int { fields.count }

  /// The first value of a name. Setting replaces every field of that name; nil removes them.
  package subscript(_ name: String) -> String? {
    get { fields.first { Self.sameName($0.name, name) }?.value }
    set {
      guard let newValue else {
        fields.removeAll { Self.sameName($0.name, name) }
        return
      }
      guard let index = fields.firstIndex(where: { Self.sameName($0.name, name) }) else {
        fields.append(Field(name: name, value: newValue))
        return
      }
      fields[index].value = newValue
      var position = fields.count - 1
      while position > index {
        if Self.sameName(fields[position].name, name) { fields.remove(at: position) }
        position -= 1
      }
    }
  }

  /// Adds a field beside those of the same name (`Vary`, `Set-Cookie`).
  package mutating func append(_ name: String, _ value: String) {
    fields.append(Field(name: name, value: value))
  }

  /// Adds a line that was folded to the value of the last field (obs-fold, RFC 9112, 5.2).
  /// - Returns: false where there is no field yet.
  mutating func unfold(_ text: String) -> Bool {
    guard let last = fields.indices.last else { return false }
    fields[last].value += fields[last].value.isEmpty || text.isEmpty ? text : " " + text
    return true
  }

  package func values(_ name: String) -> [String] {
    fields.compactMap { Self.sameName($0.name, name) ? $0.value : nil }
  }

  /// The elements of a comma-separated field over all its lines, without the white space around
  /// them and without empty ones (RFC 9110, 5.6.1).
  package func list(_ name: String) -> [Substring] {
    var elements: [Substring] = []
    for field in fields where Self.sameName(field.name, name) {
      for part in field.value.utf8.split(separator: UInt8(ascii: ",")) {
        let element = HTTPText.trimmed(part)
        if !element.isEmpty { elements.append(Substring(element)) }
      }
    }
    return elements
  }

  /// Whether two field names are the same without regard to ASCII case.
  package static func sameName(_ first: String, _ second: String) -> Bool {
    HTTPText.equalIgnoringCase(first, second)
  }
}
