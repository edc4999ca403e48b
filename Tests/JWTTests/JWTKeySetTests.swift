// Loading keys: what is taken, passed over, refused (contract §2, §7.12; R14.5).

import Crypto
import JSON
import Testing

@testable import JWT

@Suite struct JWTKeySetTests {
  private func error(_ fill: (inout JWTKeySet) throws -> Void) -> JWTKeyError? {
    var keys = JWTKeySet()
    do {
      try fill(&keys)
      return nil
    } catch {
      return error as? JWTKeyError
    }
  }

  private func jwks(_ keys: JSONValue...) -> String {
    String(decoding: JSONValue.object(["keys": .array(keys)]).serialized(), as: UTF8.self)
  }

  @Test func shortSecrets() {
    #expect(error { try $0.add(secret: []) } == .shortSecret)
    #expect(error { try $0.add(secret: [UInt8](repeating: 1, count: 31)) } == .shortSecret)
    #expect(error { try $0.add(secret: [UInt8](repeating: 1, count: 32)) } == nil)
  }

  @Test func tellsAlgorithms() throws {
    var keys = JWTKeySet()
    #expect(keys.algorithms == [])
    try keys.add(secret: secret)
    #expect(keys.algorithms == [.hs256, .hs384, .hs512])
    try keys.add(pem: try SigningKey(.es256).publicPEM())
    #expect(keys.algorithms == [.hs256, .hs384, .hs512, .es256])
    try keys.add(pem: try SigningKey(.rs256).publicPEM())
    #expect(keys.algorithms == Set(JWTAlgorithm.allCases))
  }

  @Test("R9.5 RSA keys under 2048 bits") func weakKeys() throws {
    let weak = try SigningKey(.rs256, rsaBits: 1024)
    #expect(
      error { try $0.add(pem: try weak.publicPEM()) } == .unusableKey(.weakRSAKey(bits: 1024)))
    #expect(error { try $0.add(jwks: jwks(try weak.jwk())) } == .noUsableKey)
  }

  @Test(arguments: [
    "", "{}", "[]", "{\"keys\":{}}", "{\"keys\":[", "{\"keys\":null}", "null",
  ])
  func malformedSets(text: String) {
    #expect(error { try $0.add(jwks: text) } == .malformedJWKS)
  }

  @Test func passesOverOtherKeys() throws {
    let key = try SigningKey(.es256)
    let others: [JSONValue] = [
      ["kty": "oct", "k": "AAAA"], ["kty": "OKP", "crv": "Ed25519", "x": "AAAA"], [:],
      ["kty": "EC", "crv": "P-384", "x": "AAAA", "y": "AAAA"], ["kty": 1], ["kty": "EC"],
      try key.jwk(["use": "enc"]), try key.jwk(["alg": "ES384"]), try key.jwk(["alg": "RS256"]),
      try key.jwk(["key_ops": ["encrypt"]]),
    ]
    for other in others {
      #expect(error { try $0.add(jwks: jwks(other)) } == .noUsableKey)
      #expect(error { try $0.add(jwks: jwks(other, try key.jwk(["key_ops": ["verify"]]))) } == nil)
    }
    #expect(error { try $0.add(jwks: jwks()) } == .noUsableKey)
  }

  @Test("§7.18 a bad entry is passed over, named by place and kid, and takes no other along")
  func passesOverBadEntries() throws {
    let (rsa, ec) = (try SigningKey(.rs256), try SigningKey(.es256))
    let weak = try SigningKey(.rs256, rsaBits: 1024)
    let good = try ec.jwk(["kid": "good"])
    let bad: [(JSONValue, kid: String?, reason: String)] = [
      (1, nil, "not an object"), (.null, nil, "not an object"), ([], nil, "not an object"),
      ([:], nil, "of a type other than RSA and EC on P-256"),
      (["kty": "oct", "k": "AAAA", "kid": "k"], "k", "of a type other than RSA and EC on P-256"),
      (["kty": "RSA", "kid": "r"], "r", KeyError.malformedKey.description),
      (try rsa.jwk(["kid": 7]), nil, "its kid is not a string"),
      (try rsa.jwk(["kid": .null]), nil, "its kid is not a string"),
      (try weak.jwk(["kid": "w"]), "w", KeyError.weakRSAKey(bits: 1024).description),
      (try ec.jwk(["d": "AAAA", "kid": "p"]), "p", KeyError.privateKey.description),
      (try ec.jwk(["x": "AAAA"]), nil, KeyError.malformedKey.description),
      (try ec.jwk(["use": "enc"]), nil, "not for signatures"),
    ]
    for (jwk, kid, reason) in bad {
      #expect(error { try $0.add(jwks: jwks(jwk)) } == .noUsableKey)
      for (entries, index) in [(jwks(jwk, good), 0), (jwks(good, jwk), 1)] {
        var keys = JWTKeySet()
        let passedOver = try keys.add(jwks: entries)
        #expect(passedOver == [PassedOverKey(index: index, keyId: kid, reason: reason)])
        #expect(keys.publicKeys.map(\.keyId) == ["good"])
      }
    }
    var keys = JWTKeySet()
    #expect(
      try keys.add(jwks: jwks(try ec.jwk())) == [], "a nameless key serves any kid")
  }

  @Test func refusesBrokenKeys() throws {
    let (rsa, ec) = (try SigningKey(.rs256), try SigningKey(.es256))
    let broken: [JSONValue] = [
      ["kty": "RSA"], ["kty": "RSA", "n": "AQAB"], try rsa.jwk(["e": "AQ"]),
      try rsa.jwk(["n": "!"]), try rsa.jwk(["n": 1]), try ec.jwk(["x": "AAAA"]),
      try ec.jwk(["y": ""]), try ec.jwk(["x": nil]),
    ]
    for jwk in broken {
      #expect(error { try $0.add(jwks: jwks(jwk)) } == .noUsableKey)
    }
  }

  @Test func refusesPrivateKeys() throws {
    let key = try SigningKey(.es256)
    #expect(error { try $0.add(jwks: jwks(try key.jwk(["d": "AAAA"]))) } == .noUsableKey)
    let pem = "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n"
    #expect(error { try $0.add(pem: pem) } == .unusableKey(.privateKey))
  }

  @Test func boundsNumbersOfKeys() throws {
    let pem = try SigningKey(.es256).publicPEM()
    #expect(error { try $0.add(pem: String(repeating: pem, count: 32)) } == nil)
    #expect(error { try $0.add(pem: String(repeating: pem, count: 33)) } == .tooManyKeys)
    let huge = String(repeating: " ", count: PublicKey.maximumTextLength + 1)
    #expect(error { try $0.add(jwks: huge) } == .unusableKey(.tooLarge))
    #expect(error { try $0.add(pem: huge) } == .unusableKey(.tooLarge))
  }

  @Test("R14.5 errors say what is wrong and hold no key") func descriptions() {
    #expect(JWTKeyError.shortSecret.description == "a secret of fewer than 32 bytes")
    #expect(JWTKeyError.unusableKey(.privateKey).description == KeyError.privateKey.description)
  }
}
