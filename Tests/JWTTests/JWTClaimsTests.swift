// The claims (contract §2, §7.10; R9.1, R9.5).

import JSON
import Testing

@testable import JWT

@Suite struct JWTClaimsTests {
  private func error(_ claims: [String: JSONValue], verifier: JWTVerifier? = nil) throws
    -> JWTError?
  {
    let base: [String: JSONValue] = ["sub": "u1", "exp": .int(now + 60)]
    let merged = JSONValue.object(base.merging(claims) { _, given in given })
    return try (verifier ?? JWTTests.verifier()).error(token(claims: merged))
  }

  @Test(
    "R9.1 sub is a text, or an integer read as its digits",
    arguments: [
      (JSONValue.string("u"), "u"), ("12", "12"), (.int(12), "12"), (.int(0), "0"),
      (.int(-5), "-5"),
      (.int(.max), "9223372036854775807"), (.unsigned(.max), "18446744073709551615"),
      ("änne", "änne"),
      (.string(String(repeating: "x", count: 64)), String(repeating: "x", count: 64)),
      (.string(String(repeating: "é", count: 64)), String(repeating: "é", count: 64)),
    ])
  func readsSubjects(sub: JSONValue, subject: String) throws {
    let text = token(claims: ["sub": sub, "exp": .int(now + 60)])
    #expect(try verifier().verify(text, now: now).subject == subject)
  }

  @Test(
    "R9.5 sub empty, too long, or of another type",
    arguments: [
      "", .string(String(repeating: "x", count: 65)), 1.5, .double(1e20), true, nil, ["u1"],
      ["id": "u1"],
    ] as [JSONValue])
  func refusesSubjects(sub: JSONValue) throws {
    #expect(try error(["sub": sub]) == .invalidClaims)
  }

  @Test("R9.5 sub and exp are required") func refusesMissing() throws {
    #expect(try verifier().error(token(claims: ["exp": .int(now + 60)])) == .invalidClaims)
    #expect(try verifier().error(token(claims: ["sub": "u1"])) == .invalidClaims)
    #expect(try verifier().error(token(claims: [:])) == .invalidClaims)
  }

  @Test(
    "R9.5 expired, with a leeway of 30 s",
    arguments: [
      (JSONValue.int(now + 1), nil), (.int(now), nil), (.int(now - 29), nil),
      (.int(now - 30), JWTError.expired), (.int(now - 31), .expired), (.int(0), .expired),
      (.int(-1), .expired), (.int(.min), .expired), (.int(.max), nil), (.double(1e300), nil),
      (.double(-1e300), .expired), (.double(Double(now) - 29.5), nil),
      (.double(Double(now) - 30.5), .expired),
    ] as [(JSONValue, JWTError?)])
  func expiry(exp: JSONValue, expected: JWTError?) throws {
    #expect(try error(["exp": exp]) == expected)
  }

  @Test func tellsExpiry() throws {
    func expiry(_ exp: JSONValue) throws -> Int64 {
      try verifier().verify(token(claims: ["sub": "u", "exp": exp]), now: now).expiresAt
    }
    #expect(try expiry(.int(now + 5)) == now + 5)
    #expect(try expiry(.double(Double(now) + 5.75)) == now + 5)
    #expect(try expiry(.double(1e300)) == .max)
  }

  @Test(
    "R9.5 exp and nbf must be numbers",
    arguments: [
      .string(String(now + 60)), true, nil, [1_900_000_000], [:],
    ] as [JSONValue])
  func refusesTimesOfOtherTypes(value: JSONValue) throws {
    #expect(try error(["exp": value]) == .invalidClaims)
    #expect(try error(["nbf": value]) == .invalidClaims)
  }

  @Test(
    "R9.5 not yet valid, with a leeway of 30 s",
    arguments: [
      (JSONValue.int(now - 1), nil), (.int(now + 30), nil), (.int(now + 31), JWTError.notYetValid),
      (.int(.max), .notYetValid), (.int(.min), nil), (.double(Double(now) + 30.5), .notYetValid),
    ] as [(JSONValue, JWTError?)])
  func notBefore(nbf: JSONValue, expected: JWTError?) throws {
    #expect(try error(["nbf": nbf]) == expected)
  }

  @Test("R9.1 iss is checked where configured") func issuer() throws {
    let asking = try verifier(issuer: "https://id.example")
    #expect(try error(["iss": "https://id.example"], verifier: asking) == nil)
    for issuer: JSONValue in ["https://id.example/", "", nil, 1, ["https://id.example"]] {
      #expect(try error(["iss": issuer], verifier: asking) == .wrongIssuer)
      #expect(try error(["iss": issuer]) == nil)
    }
    #expect(try error([:], verifier: asking) == .wrongIssuer)
  }

  @Test("R9.1 aud is checked where configured, a text or a list") func audience() throws {
    let asking = try verifier(audience: "calls")
    for audience: JSONValue in ["calls", ["calls"], ["other", "calls"]] {
      #expect(try error(["aud": audience], verifier: asking) == nil)
    }
    for audience: JSONValue in ["Calls", "", [], ["other"], [["calls"]], nil, 1, ["calls": true]] {
      #expect(try error(["aud": audience], verifier: asking) == .wrongAudience)
      #expect(try error(["aud": audience]) == nil)
    }
    #expect(try error([:], verifier: asking) == .wrongAudience)
  }

  @Test func signerWritesWhatIsAsked() throws {
    let signer = try #require(JWTSigner(secret: secret))
    let text = signer.sign(
      subject: "u\"1", issuedAt: now, expiresAt: now + 5, issuer: "i", audience: "a")
    let claims = try verifier(issuer: "i", audience: "a").verify(text, now: now)
    #expect(claims == JWTClaims(subject: "u\"1", expiresAt: now + 5))
    #expect(JWTSigner(algorithm: .rs256, secret: secret) == nil)
    #expect(JWTSigner(algorithm: .es256, secret: secret) == nil)
  }
}
