// AccessToken2, the "007" tokens of Agora (R3.1; docs.agora.io, "Deploy a token server"):
//
//   "007" + base64(zlib(signature + content))
//   content = app id, issue time, life time, salt, services
//   signature = HMAC-SHA256(signing key, content)
//   signing key = HMAC-SHA256(key: salt, HMAC-SHA256(key: issue time, certificate))
//
// Every time in it is in seconds, and every expiry, a privilege's too, counts from the issue time.

import Crypto

package struct AccessToken2: Equatable, Sendable {
  static let version = "007"

  /// 32 hexadecimal digits.
  package var appId: String
  /// Seconds since 1970.
  package var issuedAt: UInt32
  package var expireSeconds: UInt32
  /// Random, so that two tokens made within a second differ.
  package var salt: UInt32
  package var services: [AgoraService]

  package init(
    appId: String, issuedAt: UInt32, expireSeconds: UInt32, salt: UInt32, services: [AgoraService]
  ) {
    self.appId = appId
    self.issuedAt = issuedAt
    self.expireSeconds = expireSeconds
    self.salt = salt
    self.services = services
  }

  /// Seconds since 1970.
  package var expiresAt: Int64 { Int64(issuedAt) + Int64(expireSeconds) }

  /// The token's text.
  ///
  /// - Parameter certificate: the App Certificate, 32 hexadecimal digits.
  /// - Throws: `.invalidAppId`, `.invalidAppCertificate`, `.valueTooLong`, `.deflateFailed`.
  package func signed(with certificate: String) throws(AgoraTokenError) -> String {
    guard Self.isHexadecimal(appId) else { throw .invalidAppId }
    guard Self.isHexadecimal(certificate) else { throw .invalidAppCertificate }
    let content = try packedContent()
    var payload = Packer()
    try payload.data(signature(of: content.span, with: certificate))
    payload.raw(content)
    return Self.version + Base64.encode(try Deflate.compress(payload.bytes))
  }

  func signature(of content: Span<UInt8>, with certificate: String) -> [UInt8] {
    let byTime = HMAC.authenticate(
      .sha256, key: Self.packed(issuedAt), message: Array(certificate.utf8))
    let signingKey = HMAC.authenticate(.sha256, key: Self.packed(salt), message: byTime)
    return HMAC.authenticate(.sha256, key: signingKey, message: content)
  }

  private func packedContent() throws(AgoraTokenError) -> [UInt8] {
    var content = Packer()
    try content.text(appId)
    content.uint32(issuedAt)
    content.uint32(expireSeconds)
    content.uint32(salt)
    try content.count(services.count)
    for service in services { try service.pack(into: &content) }
    return content.bytes
  }

  init(from unpacker: inout Unpacker) throws(AgoraTokenError) {
    appId = try unpacker.text()
    issuedAt = try unpacker.uint32()
    expireSeconds = try unpacker.uint32()
    salt = try unpacker.uint32()
    services = []
    for _ in 0..<(try unpacker.uint16()) {
      // A service of an unknown type has taken in whatever else was announced.
      if unpacker.isAtEnd, case .unknown = services.last?.content { break }
      services.append(try AgoraService(from: &unpacker))
    }
    guard unpacker.isAtEnd else { throw .trailingBytes }
  }

  private static func packed(_ value: UInt32) -> [UInt8] {
    var packer = Packer()
    packer.uint32(value)
    return packer.bytes
  }

  private static func isHexadecimal(_ text: String) -> Bool {
    text.utf8.count == 32
      && text.utf8.allSatisfy {
        UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0
          || UInt8(ascii: "a")...UInt8(ascii: "f") ~= $0 | 0x20
      }
  }
}
