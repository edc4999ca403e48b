// What can be wrong with an Agora token, or with what one is to be made of. No case carries a secret
// or a part of a token.

package enum AgoraTokenError: Error, Equatable, Sendable {
  // Reading.
  case tooLong
  case unknownVersion
  case invalidBase64
  case invalidDeflate
  /// The payload ends within a field.
  case truncated
  case trailingBytes
  case invalidText
  case invalidSignatureLength

  // Making.
  case invalidAppId
  case invalidAppCertificate
  /// A text of more than 65,535 bytes, or as many services or privileges.
  case valueTooLong
  case deflateFailed
}
