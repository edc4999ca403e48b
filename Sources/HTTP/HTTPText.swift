// The character classes of HTTP: tokens, field values, optional white space (RFC 9110 section 5.6).

package enum HTTPText {
  /// `tchar`: what a method, a field name or a subprotocol is made of.
  package static func isTokenCharacter(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"),
      UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"),
      UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "^"), UInt8(ascii: "_"),
      UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
      true
    default: false
    }
  }

  package static func isToken(_ text: some Collection<UInt8>) -> Bool {
    !text.isEmpty && text.allSatisfy(isTokenCharacter)
  }

  /// `field-vchar`, space and tab: everything but the other control characters and DEL.
  package static func isFieldCharacter(_ byte: UInt8) -> Bool {
    byte >= 0x20 ? byte != 0x7F : byte == 0x09
  }

  /// ASCII letters in lower case, every other byte as it is.
  package static func lowercased(_ byte: UInt8) -> UInt8 {
    byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
  }

  package static func equalIgnoringCase(_ first: Substring, _ second: Substring) -> Bool {
    equalIgnoringCase(first.utf8Span.span, second.utf8Span.span)
  }

  /// Every look-up of a header field goes through here: concrete types, a plain loop, and none for
  /// most names, whose lengths differ.
  package static func equalIgnoringCase(_ first: String, _ second: String) -> Bool {
    guard first.utf8.count == second.utf8.count else { return false }
    return equalIgnoringCase(first.utf8Span.span, second.utf8Span.span)
  }

  private static func equalIgnoringCase(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
    guard left.count == right.count else { return false }
    for index in left.indices where lowercased(left[index]) != lowercased(right[index]) {
      return false
    }
    return true
  }

  /// Without the spaces and tabs at both ends.
  package static func trimmed<Text: BidirectionalCollection<UInt8>>(
    _ text: Text
  ) -> Text.SubSequence {
    var rest = text[...]
    while let first = rest.first, isWhiteSpace(first) { rest.removeFirst() }
    while let last = rest.last, isWhiteSpace(last) { rest.removeLast() }
    return rest
  }

  private static func isWhiteSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
}
