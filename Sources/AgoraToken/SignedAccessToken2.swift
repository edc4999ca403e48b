// A token that somebody sent (R4.2, contract §7.5): read first, believed only once its signature
// has been checked. Whether it has expired is the caller's question.

import Crypto

package struct SignedAccessToken2: Sendable {
  /// Of the text, in bytes; tokens of our own have some 200.
  package static let maximumTextLength = 8 * 1024
  /// Of the payload, in bytes, whatever the text promises.
  package static let maximumPayloadLength = 64 * 1024

  package let token: AccessToken2
  /// Signature and content, inflated.
  package let payload: [UInt8]
  private let signature: [UInt8]
  private let contentStart: Int

  /// Reads the text without judging its signature.
  ///
  /// - Throws: one of `AgoraTokenError`'s cases for reading.
  package init(_ text: String) throws(AgoraTokenError) {
    let bytes = text.utf8Span.span
    guard bytes.count <= Self.maximumTextLength else { throw .tooLong }
    guard text.hasPrefix(AccessToken2.version) else { throw .unknownVersion }
    let encoded = bytes.extracting(droppingFirst: AccessToken2.version.utf8.count)
    guard let compressed = Base64.decode(encoded) else { throw .invalidBase64 }
    payload = try Deflate.decompress(compressed, limit: Self.maximumPayloadLength)
    var unpacker = Unpacker(payload)
    signature = try unpacker.data()
    guard signature.count == HashFunction.sha256.digestLength else { throw .invalidSignatureLength }
    contentStart = unpacker.position
    token = try AccessToken2(from: &unpacker)
  }

  /// Whether it was made with this certificate for this app.
  package func isSigned(with certificate: String, appId: String) -> Bool {
    let content = payload.span.extracting(droppingFirst: contentStart)
    return token.appId == appId
      && constantTimeEqual(token.signature(of: content, with: certificate), signature)
  }
}
