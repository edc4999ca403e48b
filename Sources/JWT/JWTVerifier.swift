// Verifies tokens in the compact serialization (RFC 7515 §7.1, RFC 7519 §7.2, RFC 8725; contract §2
// and §7.10; R9.1, R9.5).
//
// The algorithm is held against the allow-list before anything else is looked at, and a key serves
// only its own family: an RSA key's public text never becomes an HMAC secret.

import Crypto
import JSON

package struct JWTVerifier: Sendable {
  /// Of a token, in bytes.
  package static let maximumTokenLength = 8 * 1024

  private let keys: JWTKeySet
  private let algorithms: Set<JWTAlgorithm>
  private let policy: ClaimsPolicy

  /// By how much other clocks may differ from ours.
  package var leewaySeconds: Int { policy.leewaySeconds }

  /// - Parameters:
  ///   - algorithms: the allow-list.
  ///   - issuer: what `iss` must be; nil leaves it unchecked.
  ///   - audience: what `aud` must be or contain; nil leaves it unchecked.
  ///   - leewaySeconds: as ``leewaySeconds``.
  package init(
    keys: JWTKeySet, algorithms: Set<JWTAlgorithm>, issuer: String? = nil,
    audience: String? = nil, leewaySeconds: Int = 30
  ) {
    self.keys = keys
    self.algorithms = algorithms
    policy = ClaimsPolicy(issuer: issuer, audience: audience, leewaySeconds: leewaySeconds)
  }

  /// - Parameter now: seconds since 1970.
  package func verify(_ token: String, now: Int64) throws(JWTError) -> JWTClaims {
    let text = token.utf8Span.span
    guard text.count <= Self.maximumTokenLength else { throw .tooLong }
    let dots = try Self.dots(in: text)
    let header = try Self.object(text.extracting(0..<dots.first))
    let algorithm = try allowedAlgorithm(header)
    guard header["crit"] == nil else { throw .criticalHeader }
    guard let signature = Base64URL.decode(text.extracting((dots.second + 1)...)) else {
      throw .malformed
    }
    try verify(
      signature, of: text.extracting(0..<dots.second), by: algorithm,
      keyId: try Self.keyId(header))
    let claims = try Self.object(text.extracting((dots.first + 1)..<dots.second))
    return try policy.check(claims, now: now)
  }

  private func allowedAlgorithm(_ header: JSONValue) throws(JWTError) -> JWTAlgorithm {
    guard let name = header["alg"]?.stringValue else { throw .malformed }
    guard let algorithm = JWTAlgorithm(rawValue: name), algorithms.contains(algorithm) else {
      throw .algorithmNotAllowed
    }
    return algorithm
  }

  private func verify(
    _ signature: [UInt8], of input: Span<UInt8>, by algorithm: JWTAlgorithm, keyId: String?
  ) throws(JWTError) {
    switch algorithm.family {
    case .secret(let function):
      guard !keys.secrets.isEmpty else { throw .unknownKey }
      for secret in keys.secrets {
        let expected = HMAC.authenticate(function, key: secret, message: input)
        if constantTimeEqual(expected, signature) { return }
      }
      throw .badSignature
    case .publicKey(let kind):
      let candidates = keys.candidates(kind: kind, keyId: keyId)
      guard !candidates.isEmpty else { throw .unknownKey }
      for key in candidates where key.verify(signature, of: input) { return }
      throw .badSignature
    }
  }

  /// The offsets of the two dots; there are no more and no fewer.
  private static func dots(in text: Span<UInt8>) throws(JWTError) -> (first: Int, second: Int) {
    var found: [Int] = []
    for index in text.indices where text[index] == UInt8(ascii: ".") {
      guard found.count < 2 else { throw .malformed }
      found.append(index)
    }
    guard found.count == 2 else { throw .malformed }
    return (found[0], found[1])
  }

  private static func object(_ encoded: Span<UInt8>) throws(JWTError) -> JSONValue {
    guard let bytes = Base64URL.decode(encoded), let value = try? JSONParser.parse(bytes),
      value.objectValue != nil
    else {
      throw .malformed
    }
    return value
  }

  private static func keyId(_ header: JSONValue) throws(JWTError) -> String? {
    guard let keyId = header["kid"] else { return nil }
    guard let text = keyId.stringValue else { throw .malformed }
    return text
  }
}

extension PublicKey {
  /// By the one algorithm that the key's kind serves.
  fileprivate func verify(_ signature: [UInt8], of input: Span<UInt8>) -> Bool {
    switch kind {
    case .rsa: verifyRS256(signature: signature, message: input)
    case .p256: verifyES256(signature: signature, message: input)
    }
  }
}
