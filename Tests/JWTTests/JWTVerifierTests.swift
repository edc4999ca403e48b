// Which tokens are let in, and which of the well-known attacks on them are not (R9.1, R9.5).

import Crypto
import JSON
import Testing

@testable import JWT

@Suite struct JWTVerifierTests {
  @Test(
    "R9.1 a good token of every HS algorithm",
    arguments: [
      (JWTAlgorithm.hs256, HashFunction.sha256), (.hs384, .sha384), (.hs512, .sha512),
    ])
  func accepts(algorithm: JWTAlgorithm, function: HashFunction) throws {
    let text = token(header: ["alg": .string(algorithm.rawValue)], function: function)
    let claims = try verifier([algorithm]).verify(text, now: now)
    #expect(claims == JWTClaims(subject: "u1", expiresAt: now + 60))
    let signer = try #require(JWTSigner(algorithm: algorithm, secret: secret))
    let signed = signer.sign(subject: "u1", issuedAt: now, expiresAt: now + 60)
    #expect(try verifier([algorithm]).verify(signed, now: now) == claims)
  }

  /// RFC 7515 appendix A.1. It expired in 2011 and has no `sub`, so good signatures show in what
  /// is found fault with.
  @Test("R9.1 RFC 7515 A.1") func rfcVector() throws {
    let input =
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0"
      + "dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    let key = try #require(
      Base64URL.decode(
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"))
    var keys = JWTKeySet()
    try keys.add(secret: key)
    let verifier = JWTVerifier(keys: keys, algorithms: [.hs256])
    let good = input + ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    #expect(good == sign(input, secret: key))
    #expect(verifier.error(good) == .invalidClaims)
    #expect(verifier.error(input + ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXg") == .badSignature)
  }

  @Test(
    "R9.5 alg none, in any spelling and with any signature",
    arguments: [
      "none", "None", "NONE", "nOnE", "", "hs256", "HS256 ", "RS512", "PS256", "ES384", "EdDSA",
      "HS1",
    ])
  func refusesNone(name: String) throws {
    let verifier = try verifier(Set(JWTAlgorithm.allCases))
    let good = token(header: ["alg": .string(name)])
    #expect(verifier.error(good) == .algorithmNotAllowed)
    let unsigned = good.prefix(through: good.lastIndex(of: ".") ?? good.startIndex)
    #expect(verifier.error(String(unsigned)) == .algorithmNotAllowed)
  }

  @Test("R9.5 an algorithm that the list leaves out") func refusesUnlisted() throws {
    for allowed in JWTAlgorithm.allCases where allowed != .hs256 {
      #expect(try verifier([allowed]).error(token()) == .algorithmNotAllowed)
    }
    #expect(try verifier([]).error(token()) == .algorithmNotAllowed)
  }

  /// The signature, the claims and the key are not looked at.
  @Test("R9.5 the allow-list comes first") func allowListComesFirst() throws {
    let header = Base64URL.encode(
      JSONValue.object(["alg": "none", "crit": ["x"], "kid": 1]).serialized())
    #expect(try verifier().error(header + ".!!!.???") == .algorithmNotAllowed)
  }

  @Test("R9.5 another secret, another message") func refusesForgeries() throws {
    let verifier = try verifier()
    #expect(verifier.error(token(secret: secret + [1])) == .badSignature)
    #expect(verifier.error(token(secret: [])) == .badSignature)
    let parts = token().split(separator: ".")
    let other = token(claims: ["sub": "u2", "exp": .int(now + 60)]).split(separator: ".")
    #expect(verifier.error("\(parts[0]).\(other[1]).\(parts[2])") == .badSignature)
    // A signature of another hash under the right header.
    #expect(verifier.error(token(function: .sha512)) == .badSignature)
    #expect(verifier.error("\(parts[0]).\(parts[1]).") == .badSignature)
  }

  @Test("R9.5 every truncation") func refusesTruncated() throws {
    let verifier = try verifier()
    let good = token()
    for length in 0..<good.utf8.count {
      #expect(verifier.error(String(good.prefix(length))) != nil)
    }
  }

  @Test("R9.5 every bit flipped") func refusesFlippedBits() throws {
    let verifier = try verifier()
    let good = Array(token().utf8)
    for index in good.indices {
      for bit in 0..<7 {
        var bytes = good
        bytes[index] ^= 1 << UInt8(bit)
        #expect(verifier.error(String(decoding: bytes, as: UTF8.self)) != nil)
      }
    }
  }

  @Test(
    "R9.5 what is not three parts of base64url",
    arguments: [
      "", ".", "..", "...", "a", "a.b", "a.b.c.d", "eyJhbGciOiJIUzI1NiJ9", "é.é.é", "\0.\0.\0",
      "e30..", "W10.e30.", "bnVsbA.e30.", "IkhTMjU2Ig.e30.",
    ])
  func refusesMalformed(text: String) throws {
    #expect(try verifier().error(text) == .malformed)
  }

  @Test("R9.5 dots too many, padding, other alphabets, non-canonical base64")
  func refusesOtherSpellings() throws {
    let verifier = try verifier()
    let good = token()
    let parts = good.split(separator: ".").map(String.init)
    #expect(verifier.error(good) == nil)
    #expect(verifier.error(good + ".") == .malformed)
    #expect(verifier.error("." + good) == .malformed)
    #expect(verifier.error(parts.joined(separator: "..")) == .malformed)
    #expect(verifier.error(good + "=") == .malformed)
    #expect(verifier.error(good + " ") == .malformed)
    #expect(verifier.error(good + "\n") == .malformed)
    #expect(verifier.error(" " + good) == .malformed)
    #expect(verifier.error("Bearer " + good) == .malformed)
    // 32 bytes end in a character with two stray bits, all of which must be zero.
    let last = try #require(good.last)
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    let index = try #require(alphabet.firstIndex(of: last))
    for stray in 1...3 {
      #expect(
        verifier.error(String(good.dropLast()) + String(alphabet[index + stray])) == .malformed)
    }
  }

  @Test("R9.5 a token of more than 8 KiB") func refusesHuge() throws {
    let verifier = try verifier()
    let filler = JSONValue.string(String(repeating: "x", count: 7000))
    #expect(verifier.error(token(claims: ["sub": "u", "exp": .int(now), "x": filler])) == .tooLong)
    #expect(verifier.error(String(repeating: "a", count: 10_000_000)) == .tooLong)
    #expect(verifier.error(String(repeating: ".", count: 8192)) == .malformed)
    let deep = Array((String(repeating: "[", count: 4000)).utf8)
    #expect(verifier.error(token(header: deep, claims: [])) == .malformed)
  }

  @Test(
    "R9.5 header members of the wrong type",
    arguments: [
      [:], ["alg": nil], ["alg": 1], ["alg": ["HS256"]], ["alg": true], ["alg": "HS256", "kid": 1],
      ["alg": "HS256", "kid": nil], ["ALG": "HS256"],
    ] as [JSONValue])
  func refusesHeaders(header: JSONValue) throws {
    #expect(try verifier().error(token(header: header)) == .malformed)
  }

  @Test(
    "R9.5 crit, whatever it names", arguments: [["exp"], ["b64"], [], "exp", nil] as [JSONValue])
  func refusesCritical(value: JSONValue) throws {
    let text = token(header: ["alg": "HS256", "crit": value, "b64": false])
    #expect(try verifier().error(text) == .criticalHeader)
  }

  @Test(
    "R9.5 claims that are not a JSON object",
    arguments: [
      "", "{", "[]", "null", "\"sub\"", "{\"sub\":\"u1\",\"exp\":1900000000}x",
      "{\"sub\":\"\u{1}\"}",
      "{\"sub\":\"u1\",\"exp\":01900000000}",
    ])
  func refusesBrokenClaims(text: String) throws {
    let broken = token(header: Array("{\"alg\":\"HS256\"}".utf8), claims: Array(text.utf8))
    #expect(try verifier().error(broken) == .malformed)
  }

  @Test("R9.5 keys that a token brings along are not used") func ignoresKeysInHeader() throws {
    let own = Array("a secret that the attacker has chosen".utf8)
    let jwk: JSONValue = ["kty": "oct", "k": .string(Base64URL.encode(own))]
    let forged = token(
      header: ["alg": "HS256", "jwk": jwk, "jku": "https://example.com/jwks"], secret: own)
    #expect(try verifier().error(forged) == .badSignature)
  }

  @Test("R9.5 a secret's kid is of no consequence") func ignoresKeyIdOfSecrets() throws {
    for keyId in ["", "k1", "../../dev/null", "' OR 1=1 --"] {
      #expect(
        try verifier().error(token(header: ["alg": "HS256", "kid": .string(keyId)])) == nil)
    }
  }

  @Test("R9.5 reasons fit a header field") func reasons() {
    let all: [JWTError] = [
      .tooLong, .malformed, .algorithmNotAllowed, .criticalHeader, .unknownKey, .badSignature,
      .invalidClaims, .expired, .notYetValid, .wrongIssuer, .wrongAudience,
    ]
    for error in all {
      #expect(!error.reason.isEmpty)
      #expect(
        error.reason.utf8.allSatisfy { (0x20...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C })
    }
    #expect(Set(all.map(\.reason)).count == all.count)
  }
}
