// JWK Sets (RFC 7517 §5). An entry that cannot be used is passed over, as the RFC asks: one bad key of a
// provider's must not take the others along (contract §7.18).

import Crypto
import JSON

/// An entry of a JWK Set that was passed over, for the log. Holds no key material.
package struct PassedOverKey: Equatable, Sendable, CustomStringConvertible {
  /// Counted from 0.
  package let index: Int
  /// The entry's `kid`, where it is text of at most 64 characters.
  package let keyId: String?
  package let reason: String

  package var description: String {
    "key \(index)\(keyId.map { " (kid \($0))" } ?? ""): \(reason)"
  }
}

extension JWTKeySet {
  /// - Returns: The entries that were passed over.
  /// - Throws: `JWTKeyError`: `malformedJWKS` for what is no set, `noUsableKey` where nothing is left,
  ///   `tooManyKeys`, and `unusableKey(.tooLarge)` for the whole text.
  @discardableResult
  package mutating func add(jwks text: String) throws(JWTKeyError) -> [PassedOverKey] {
    guard text.utf8.count <= PublicKey.maximumTextLength else { throw .unusableKey(.tooLarge) }
    guard let root = try? JSONParser.parse(Array(text.utf8)), let keys = root["keys"]?.arrayValue
    else {
      throw .malformedJWKS
    }
    let before = publicKeys.count
    var passedOver: [PassedOverKey] = []
    for (index, jwk) in keys.enumerated() {
      let found: (key: PublicKey, keyId: String?)
      do throws(Unusable) { found = try Self.key(from: jwk) } catch {
        passedOver.append(
          PassedOverKey(index: index, keyId: Self.shownKeyId(of: jwk), reason: error.reason))
        continue
      }
      try add(found.key, keyId: found.keyId)
    }
    guard publicKeys.count > before else { throw .noUsableKey }
    return passedOver
  }

  private struct Unusable: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }
  }

  private static func key(from jwk: JSONValue) throws(Unusable) -> (key: PublicKey, keyId: String?)
  {
    guard jwk.objectValue != nil else { throw Unusable("not an object") }
    let kind = try kind(of: jwk)
    guard jwk["d"] == nil else { throw Unusable(KeyError.privateKey.description) }
    let keyId = try keyId(of: jwk)
    do throws(KeyError) { return (try publicKey(kind, from: jwk), keyId) } catch {
      throw Unusable(error.description)
    }
  }

  private static func kind(of jwk: JSONValue) throws(Unusable) -> PublicKey.Kind {
    if let use = jwk["use"], use != "sig" { throw Unusable("not for signatures") }
    if let operations = jwk["key_ops"]?.arrayValue, !operations.contains("verify") {
      throw Unusable("not for verifying")
    }
    let kind: PublicKey.Kind
    let algorithm: JWTAlgorithm
    switch (jwk["kty"], jwk["crv"]) {
    case ("RSA", _): (kind, algorithm) = (.rsa, .rs256)
    case ("EC", "P-256"): (kind, algorithm) = (.p256, .es256)
    default: throw Unusable("of a type other than RSA and EC on P-256")
    }
    if let declared = jwk["alg"], declared != .string(algorithm.rawValue) {
      throw Unusable("for an algorithm other than \(algorithm.rawValue)")
    }
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

  private static func keyId(of jwk: JSONValue) throws(Unusable) -> String? {
    guard let keyId = jwk["kid"] else { return nil }
    guard let text = keyId.stringValue else { throw Unusable("its kid is not a string") }
    return text
  }

  private static func shownKeyId(of jwk: JSONValue) -> String? {
    guard let text = jwk["kid"]?.stringValue, text.unicodeScalars.count <= 64 else { return nil }
    return text
  }
}
