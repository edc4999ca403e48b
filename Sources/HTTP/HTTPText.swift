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

  package static func equalIgnoringCase(
    _ first: some Collection<UInt8>, _ second: some Collection<UInt8>
  ) -> Bool {
    first.count == second.count
      && zip(first, second).allSatisfy { lowercased($0) == lowercased($1) }
  }

  package static func equalIgnoringCase(
    _ first: some StringProtocol, _ second: some StringProtocol
  ) -> Bool {
    equalIgnoringCase(first.utf8, second.utf8)
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
