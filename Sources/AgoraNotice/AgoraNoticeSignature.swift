// The header `Agora-Signature-V2`: HMAC-SHA256 of the body as it came, in hexadecimal (contract §9.1;
// docs.agora.io, "Add signature verification").

import Crypto

package struct AgoraNoticeSignature: Sendable {
  package static let field = "Agora-Signature-V2"

  /// Any of them will do: while one replaces another in Agora's console, notices are signed with either.
  private let secrets: [[UInt8]]

  package init(secrets: [[UInt8]]) { self.secrets = secrets }

  /// Whether notices can be taken at all.
  package var isConfigured: Bool { !secrets.isEmpty }

  /// Whether the body was signed with one of the secrets, in a time that does not tell how far a wrong
  /// signature was right.
  /// - Parameter signature: As the header has it, in either case; nil without one.
  package func isValid(_ signature: String?, of body: [UInt8]) -> Bool {
    guard let given = signature.flatMap(Self.bytes) else { return false }
    var isValid = false
    for secret in secrets {
      let expected = HMAC.authenticate(.sha256, key: secret, message: body)
      isValid = constantTimeEqual(expected, given) || isValid
    }
    return isValid
  }

  /// nil for what is no hexadecimal form of an HMAC-SHA256.
  private static func bytes(_ text: String) -> [UInt8]? {
    let digits = text.utf8.compactMap(digit)
    guard digits.count == text.utf8.count, digits.count == 2 * HashFunction.sha256.digestLength
    else { return nil }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
