// RS256 and ES256 with keys from PEM and JWKS, chosen by `kid`, never by another family's token
// (R9.1, R9.5).

import Crypto
import JSON
import Testing

@testable import JWT

@Suite struct JWTPublicKeyTests {
  private static let claims: JSONValue = ["sub": "u1", "exp": .int(now + 60)]

  private func verifier(
    _ algorithms: Set<JWTAlgorithm> = [.rs256, .es256], _ fill: (inout JWTKeySet) throws -> Void
  ) throws -> JWTVerifier {
    var keys = JWTKeySet()
    try fill(&keys)
    return JWTVerifier(keys: keys, algorithms: algorithms)
  }

  private func jwks(_ keys: JSONValue...) -> String {
    String(decoding: JSONValue.object(["keys": .array(keys)]).serialized(), as: UTF8.self)
  }

  @Test(
    "R9.1 a good token of a PEM key, whatever its kid", arguments: [JWTAlgorithm.rs256, .es256])
  func acceptsPEM(algorithm: JWTAlgorithm) throws {
    let key = try SigningKey(algorithm)
    let verifier = try verifier { try $0.add(pem: try key.publicPEM()) }
    for keyId in [nil, "k1", ""] {
      let text = try key.sign(claims: Self.claims, keyId: keyId)
      #expect(try verifier.verify(text, now: now).subject == "u1")
    }
    let other = try SigningKey(algorithm)
    #expect(verifier.error(try other.sign(claims: Self.claims)) == .badSignature)
  }

  @Test("R9.1 a good token of a JWKS key under its kid", arguments: [JWTAlgorithm.rs256, .es256])
  func acceptsJWKS(algorithm: JWTAlgorithm) throws {
    let (first, second) = (try SigningKey(algorithm), try SigningKey(algorithm))
    let verifier = try verifier {
      try $0.add(
        jwks: jwks(
          try first.jwk(["kid": "a", "use": "sig", "alg": .string(algorithm.rawValue)]),
          try second.jwk(["kid": "b"])))
    }
    #expect(verifier.error(try first.sign(claims: Self.claims, keyId: "a")) == nil)
    #expect(verifier.error(try second.sign(claims: Self.claims, keyId: "b")) == nil)
    #expect(verifier.error(try first.sign(claims: Self.claims, keyId: "b")) == .badSignature)
    #expect(verifier.error(try first.sign(claims: Self.claims, keyId: "c")) == .unknownKey)
    #expect(verifier.error(try first.sign(claims: Self.claims, keyId: "A")) == .unknownKey)
    // Two keys of the family: which one is meant is not for us to guess.
    #expect(verifier.error(try first.sign(claims: Self.claims)) == .unknownKey)
  }

  @Test("R9.1 without kid: the only key of the family") func onlyKeyOfFamily() throws {
    let (rsa, ec) = (try SigningKey(.rs256), try SigningKey(.es256))
    let verifier = try verifier {
      try $0.add(jwks: jwks(try rsa.jwk(["kid": "a"]), try ec.jwk(["kid": "b"])))
    }
    #expect(verifier.error(try rsa.sign(claims: Self.claims)) == nil)
    #expect(verifier.error(try ec.sign(claims: Self.claims)) == nil)
    #expect(verifier.error(try rsa.sign(claims: Self.claims, keyId: "b")) == .unknownKey)
  }

  @Test("R9.1 a key's name goes before a nameless key") func namedBeforeNameless() throws {
    let (named, nameless) = (try SigningKey(.es256), try SigningKey(.es256))
    let verifier = try verifier {
      try $0.add(jwks: jwks(try named.jwk(["kid": "a"])))
      try $0.add(pem: try nameless.publicPEM())
    }
    #expect(verifier.error(try named.sign(claims: Self.claims, keyId: "a")) == nil)
    #expect(verifier.error(try nameless.sign(claims: Self.claims, keyId: "z")) == nil)
    #expect(verifier.error(try nameless.sign(claims: Self.claims, keyId: "a")) == .badSignature)
    #expect(verifier.error(try named.sign(claims: Self.claims, keyId: "z")) == .badSignature)
  }

  @Test("R9.1 of several PEM keys any may have signed") func severalPEMKeys() throws {
    let (first, second) = (try SigningKey(.es256), try SigningKey(.es256))
    let verifier = try verifier {
      try $0.add(pem: try first.publicPEM() + (try second.publicPEM()))
    }
    #expect(verifier.error(try first.sign(claims: Self.claims, keyId: "x")) == nil)
    #expect(verifier.error(try second.sign(claims: Self.claims, keyId: "x")) == nil)
  }

  @Test("R9.5 family confusion: a public key's text as the secret of an HS token")
  func familyConfusion() throws {
    for key in [try SigningKey(.rs256), try SigningKey(.es256)] {
      let pem = try key.publicPEM()
      let everything = try verifier(Set(JWTAlgorithm.allCases)) { try $0.add(pem: pem) }
      let bothKinds = try verifier(Set(JWTAlgorithm.allCases)) {
        try $0.add(pem: pem)
        try $0.add(secret: secret)
      }
      for text in [pem, String(pem.dropLast()), pem.replacingCRLF] {
        let forged = token(secret: Array(text.utf8))
        #expect(everything.error(forged) == .unknownKey)
        #expect(bothKinds.error(forged) == .badSignature)
      }
      #expect(bothKinds.error(token()) == nil)
      #expect(bothKinds.error(try key.sign(claims: Self.claims)) == nil)
      let publicOnly = try verifier([.rs256, .es256]) {
        try $0.add(pem: pem)
        try $0.add(secret: secret)
      }
      #expect(publicOnly.error(token()) == .algorithmNotAllowed)
    }
  }

  @Test("R9.5 family confusion: RS256 and ES256 swapped") func swappedFamilies() throws {
    let (rsa, ec) = (try SigningKey(.rs256), try SigningKey(.es256))
    let onlyEC = try verifier { try $0.add(pem: try ec.publicPEM()) }
    #expect(onlyEC.error(try rsa.sign(claims: Self.claims)) == .unknownKey)
    let onlyRSA = try verifier { try $0.add(pem: try rsa.publicPEM()) }
    #expect(onlyRSA.error(try ec.sign(claims: Self.claims)) == .unknownKey)
    // The signature of one under the other's header.
    let good = try ec.sign(claims: Self.claims).split(separator: ".").map(String.init)
    let header = Base64URL.encode(JSONValue.object(["alg": "RS256"]).serialized())
    #expect(onlyRSA.error("\(header).\(good[1]).\(good[2])") == .badSignature)
  }

  @Test("R9.5 altered signatures", arguments: [JWTAlgorithm.rs256, .es256])
  func alteredSignatures(algorithm: JWTAlgorithm) throws {
    let key = try SigningKey(algorithm)
    let verifier = try verifier { try $0.add(pem: try key.publicPEM()) }
    let parts = try key.sign(claims: Self.claims).split(separator: ".").map(String.init)
    let signature = try #require(Base64URL.decode(parts[2]))
    func error(_ signature: [UInt8]) -> JWTError? {
      verifier.error("\(parts[0]).\(parts[1]).\(Base64URL.encode(signature))")
    }
    #expect(error(signature) == nil)
    for index in signature.indices {
      var altered = signature
      altered[index] ^= 1
      #expect(error(altered) == .badSignature)
    }
    #expect(error([]) == .badSignature)
    #expect(error(signature + [0]) == .badSignature)
    #expect(error([0] + signature) == .badSignature)
    #expect(error(signature.dropLast()) == .badSignature)
    #expect(error([UInt8](repeating: 0, count: signature.count)) == .badSignature)
  }

  /// RFC 7515 appendix A.3; it expired in 2011.
  @Test("R9.1 RFC 7515 A.3 from a JWKS") func rfcVector() throws {
    let jwk: JSONValue = [
      "kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
      "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    ]
    let verifier = try verifier { try $0.add(jwks: jwks(jwk)) }
    let input =
      "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNv"
      + "bS9pc19yb290Ijp0cnVlfQ."
    let signature =
      "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    #expect(verifier.error(input + signature) == .invalidClaims)
    #expect(verifier.error(input + signature.dropLast() + "A") == .badSignature)
  }
}

extension String {
  fileprivate var replacingCRLF: String { split(separator: "\n").joined(separator: "\r\n") }
}
