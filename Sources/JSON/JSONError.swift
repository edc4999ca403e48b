// Why a text is not JSON (contract §7.11: MALFORMED_JSON), and where.

package struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
  package enum Reason: String, Sendable {
    case unexpectedEnd = "the text ends too early"
    case unexpectedByte = "an unexpected character"
    case trailingText = "text after the value"
    case tooDeep = "nested too deeply"
    case controlCharacter = "a control character in a string"
    case invalidEscape = "an invalid escape in a string"
    case loneSurrogate = "half of a surrogate pair"
    case invalidUTF8 = "invalid UTF-8"
    case invalidNumber = "a malformed number"
    case numberOutOfRange = "a number that is too large"
  }

  package let reason: Reason
  /// Zero-based offset, in bytes, of the place where the parser gave up.
  package let offset: Int

  package init(_ reason: Reason, at offset: Int) {
    self.reason = reason
    self.offset = offset
  }

  package var description: String { "\(reason.rawValue) at byte \(offset)" }
}
