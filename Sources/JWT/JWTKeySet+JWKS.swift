// JWK Sets (RFC 7517 §5). Keys for other purposes or algorithms are passed over, as the RFC asks;
// a key that is meant for us and is weak, broken or private is an error.

import Crypto
import JSON

extension JWTKeySet {
  package mutating func add(jwks text: String) throws(JWTKeyError) {
    guard text.utf8.count <= PublicKey.maximumTextLength else { throw .unusableKey(.tooLarge) }
    guard let root = try? JSONParser.parse(Array(text.utf8)), let keys = root["keys"]?.arrayValue
    else {
      throw .malformedJWKS
    }
    let before = publicKeys.count
    for jwk in keys {
      guard jwk.objectValue != nil else { throw .malformedJWKS }
      guard let kind = Self.kind(of: jwk) else { continue }
      guard jwk["d"] == nil else { throw .unusableKey(.privateKey) }
      let key: PublicKey
      do throws(KeyError) {
        key = try Self.publicKey(kind, from: jwk)
      } catch {
        throw .unusableKey(error)
      }
      try add(key, keyId: try Self.keyId(of: jwk))
    }
    guard publicKeys.count > before else { throw .noUsableKey }
  }

  /// Nil where the key is not one to verify RS256 or ES256 with.
  private static func kind(of jwk: JSONValue) -> PublicKey.Kind? {
    if let use = jwk["use"], use != "sig" { return nil }
    if let operations = jwk["key_ops"]?.arrayValue, !operations.contains("verify") { return nil }
    let kind: PublicKey.Kind
    let algorithm: JWTAlgorithm
    switch (jwk["kty"], jwk["crv"]) {
    case ("RSA", _): (kind, algorithm) = (.rsa, .rs256)
    case ("EC", "P-256"): (kind, algorithm) = (.p256, .es256)
    default: return nil
    }
    if let declared = jwk["alg"], declared != .string(algorithm.rawValue) { return nil }
    return kind
  }

  private static func publicKey(
    _ kind: PublicKey.Kind, from jwk: JSONValue
  ) throws(KeyError) -> PublicKey {
    func number(_ name: String) throws(KeyError) -> [UInt8] {
      guard let text = jwk[name]?.stringValue, let bytes = Base64URL.decode(text) else {
        throw .malformedKey
      }
      return bytes
    }
    return switch kind {
    case .rsa: try PublicKey(modulus: try number("n"), exponent: try number("e"))
    case .p256: try PublicKey(x: try number("x"), y: try number("y"))
    }
  }

  private static func keyId(of jwk: JSONValue) throws(JWTKeyError) -> String? {
    guard let keyId = jwk["kid"] else { return nil }
    guard let text = keyId.stringValue else { throw .malformedJWKS }
    return text
  }
}
