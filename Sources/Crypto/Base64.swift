// Base64 (RFC 4648 §4, with padding) and base64url (§5, without, as JOSE has it: RFC 7515 §2).
//
// Decoding is strict: no white space, no other alphabet's characters, padding exactly where it
// belongs, and no stray bits in the last character (RFC 4648 §3.5). A text has one spelling, so
// nobody can alter a signed one without its being noticed.

package enum Base64 {
  package static func encode(_ bytes: [UInt8]) -> String {
    Base64Alphabet.standard.encode(bytes, isPadded: true)
  }

  /// Nil where the text is not base64.
  package static func decode(_ text: String) -> [UInt8]? { decode(text.utf8Span.span) }

  package static func decode(_ text: Span<UInt8>) -> [UInt8]? {
    guard text.count % 4 == 0 else { return nil }
    var end = text.count
    while end > 0, text.count - end < 2, text[end - 1] == UInt8(ascii: "=") { end -= 1 }
    return Base64Alphabet.standard.decode(text.extracting(0..<end))
  }
}

package enum Base64URL {
  package static func encode(_ bytes: [UInt8]) -> String {
    Base64Alphabet.urlSafe.encode(bytes, isPadded: false)
  }

  /// Nil where the text is not base64url, or is padded.
  package static func decode(_ text: String) -> [UInt8]? { decode(text.utf8Span.span) }

  package static func decode(_ text: Span<UInt8>) -> [UInt8]? {
    Base64Alphabet.urlSafe.decode(text)
  }
}

/// What the two have in common; they differ in the characters for 62 and 63.
private struct Base64Alphabet {
  let character62: UInt8
  let character63: UInt8

  static let standard = Base64Alphabet(
    character62: UInt8(ascii: "+"), character63: UInt8(ascii: "/"))
  static let urlSafe = Base64Alphabet(
    character62: UInt8(ascii: "-"), character63: UInt8(ascii: "_"))

  func encode(_ bytes: [UInt8], isPadded: Bool) -> String {
    let capacity = (bytes.count + 2) / 3 * 4
    return String(unsafeUninitializedCapacity: capacity) { output in
      var count = 0
      var index = 0
      while index < bytes.count {
        let remaining = min(3, bytes.count - index)
        var group: UInt32 = 0
        for offset in 0..<3 {
          group = group << 8 | (offset < remaining ? UInt32(bytes[index + offset]) : 0)
        }
        for offset in 0...remaining {
          output[count] = character(UInt8(group >> (18 - 6 * UInt32(offset)) & 63))
          count += 1
        }
        index += 3
      }
      while isPadded, count < capacity {
        output[count] = UInt8(ascii: "=")
        count += 1
      }
      return count
    }
  }

  /// Takes the text without its padding.
  func decode(_ text: Span<UInt8>) -> [UInt8]? {
    guard text.count % 4 != 1 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count / 4 * 3 + 2)
    var pending: UInt32 = 0
    var pendingBits = 0
    for index in text.indices {
      guard let value = value(text[index]) else { return nil }
      pending = pending << 6 | UInt32(value)
      pendingBits += 6
      if pendingBits >= 8 {
        pendingBits -= 8
        bytes.append(UInt8(pending >> UInt32(pendingBits)))
        pending &= (1 << UInt32(pendingBits)) - 1
      }
    }
    return pending == 0 ? bytes : nil
  }

  private func character(_ value: UInt8) -> UInt8 {
    switch value {
    case 0..<26: UInt8(ascii: "A") + value
    case 26..<52: UInt8(ascii: "a") + value - 26
    case 52..<62: UInt8(ascii: "0") + value - 52
    case 62: character62
    default: character63
    }
  }

  private func value(_ character: UInt8) -> UInt8? {
    switch character {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): character - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0") + 52
    case character62: 62
    case character63: 63
    default: nil
    }
  }
}
