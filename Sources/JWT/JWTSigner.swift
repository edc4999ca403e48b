// Makes tokens with a shared secret, for an operator's trials and for tests; in production an
// identity provider makes them.

import Crypto
import JSON

package struct JWTSigner: Sendable {
  private let algorithm: JWTAlgorithm
  private let function: HashFunction
  private let secret: [UInt8]

  /// Nil for an algorithm that signs with a private key.
  package init?(algorithm: JWTAlgorithm = .hs256, secret: [UInt8]) {
    guard case .secret(let function) = algorithm.family else { return nil }
    self.algorithm = algorithm
    self.function = function
    self.secret = secret
  }

  /// - Parameters:
  ///   - issuedAt: seconds since 1970; so is `expiresAt`.
  ///   - issuer: `iss`, where the verifier asks for one; so is `audience`.
  package func sign(
    subject: String, issuedAt: Int64, expiresAt: Int64, issuer: String? = nil,
    audience: String? = nil
  ) -> String {
    var claims = JSONWriter()
    claims.beginObject()
    claims.member("sub", subject)
    claims.member("iat", issuedAt)
    claims.member("exp", expiresAt)
    if let issuer { claims.member("iss", issuer) }
    if let audience { claims.member("aud", audience) }
    claims.endObject()
    return sign(claims: claims.bytes)
  }

  /// - Parameter claims: a JSON object's text.
  package func sign(claims: [UInt8]) -> String {
    let header: JSONValue = ["alg": .string(algorithm.rawValue), "typ": "JWT"]
    let input = Base64URL.encode(header.serialized()) + "." + Base64URL.encode(claims)
    let signature = HMAC.authenticate(function, key: secret, message: Array(input.utf8))
    return input + "." + Base64URL.encode(signature)
  }
}
