// Loading keys, and the signatures of RFC 7515 appendices A.2 and A.3.

import Crypto
import Testing

/// `#expect` cannot take a call with a `Span` apart.
extension PublicKey {
  fileprivate func verifyRS256(signature: [UInt8], message: [UInt8]) -> Bool {
    verifyRS256(signature: signature, message: message.span)
  }

  fileprivate func verifyES256(signature: [UInt8], message: [UInt8]) -> Bool {
    verifyES256(signature: signature, message: message.span)
  }
}

@Suite struct PublicKeyTests {
  private static let modulus = Base64URL.decode(
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4"
      + "QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5re"
      + "xMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhy"
      + "xXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ")
  private static let x = Base64URL.decode("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU")
  private static let y = Base64URL.decode("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")

  private static let payload =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
  private static let rs256Input = Array("eyJhbGciOiJSUzI1NiJ9.\(payload)".utf8)
  private static let es256Input = Array("eyJhbGciOiJFUzI1NiJ9.\(payload)".utf8)
  private static let rs256Signature = Base64URL.decode(
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5ju"
      + "jGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb"
      + "1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9"
      + "QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw")
  private static let es256Signature = Base64URL.decode(
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q")

  @Test("RFC 7515 A.2") func rs256() throws {
    let key = try PublicKey(modulus: try #require(Self.modulus), exponent: [1, 0, 1])
    var signature = try #require(Self.rs256Signature)
    #expect(key.kind == .rsa)
    #expect(key.verifyRS256(signature: signature, message: Self.rs256Input))
    #expect(!key.verifyRS256(signature: signature, message: Self.es256Input))
    #expect(!key.verifyES256(signature: signature, message: Self.rs256Input))
    #expect(!key.verifyRS256(signature: [0] + signature, message: Self.rs256Input))
    #expect(!key.verifyRS256(signature: [], message: Self.rs256Input))
    signature[100] ^= 1
    #expect(!key.verifyRS256(signature: signature, message: Self.rs256Input))
  }

  @Test("RFC 7515 A.3") func es256() throws {
    let key = try PublicKey(x: try #require(Self.x), y: try #require(Self.y))
    let signature = try #require(Self.es256Signature)
    #expect(key.kind == .p256)
    #expect(key.verifyES256(signature: signature, message: Self.es256Input))
    #expect(!key.verifyES256(signature: signature, message: Self.rs256Input))
    #expect(!key.verifyRS256(signature: signature, message: Self.es256Input))
    #expect(!key.verifyES256(signature: signature + [0], message: Self.es256Input))
    #expect(!key.verifyES256(signature: Array(signature.dropLast()), message: Self.es256Input))
    for index in signature.indices {
      var altered = signature
      altered[index] ^= 0x80
      #expect(!key.verifyES256(signature: altered, message: Self.es256Input))
    }
  }

  /// r or s of zero would verify anything in a careless implementation (CVE-2022-21449).
  @Test func es256RefusesZeroes() throws {
    let key = try PublicKey(x: try #require(Self.x), y: try #require(Self.y))
    let zeroes = [UInt8](repeating: 0, count: 64)
    #expect(!key.verifyES256(signature: zeroes, message: Self.es256Input))
    let ones = [UInt8](repeating: 0xFF, count: 64)
    #expect(!key.verifyES256(signature: ones, message: Self.es256Input))
  }

  @Test func loadsPEM() throws {
    #expect(try PublicKey.keys(inPEM: KeyFixtures.rsa2048).map(\.kind) == [.rsa])
    #expect(try PublicKey.keys(inPEM: KeyFixtures.p256).map(\.kind) == [.p256])
    let both = "a comment\n" + KeyFixtures.p256 + "\n\n" + KeyFixtures.rsa2048 + "\nthe end\n"
    #expect(try PublicKey.keys(inPEM: both).map(\.kind) == [.p256, .rsa])
    let carriageReturns = KeyFixtures.p256.split(separator: "\n").joined(separator: " \r\n")
    #expect(try PublicKey.keys(inPEM: carriageReturns).count == 1)
  }

  @Test(arguments: [
    (KeyFixtures.rsa1024, KeyError.weakRSAKey(bits: 1024)), (KeyFixtures.p384, .unsupportedKey),
    (KeyFixtures.secp256k1, .unsupportedKey), (KeyFixtures.ed25519, .unsupportedKey),
    (KeyFixtures.rsaPSS, .unsupportedKey), ("", .noPublicKey), ("text", .noPublicKey),
    ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", .malformedKey),
    ("-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----", .malformedKey),
    ("-----BEGIN PUBLIC KEY-----\n!\n-----END PUBLIC KEY-----", .malformedPEM),
    ("-----BEGIN PUBLIC KEY-----\nAAAA", .malformedPEM),
    ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END CERTIFICATE-----", .malformedPEM),
    ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", .privateKey),
    ("-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----", .privateKey),
    ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", .noPublicKey),
    (String(repeating: "x", count: PublicKey.maximumTextLength + 1), .tooLarge),
  ])
  func refusesPEM(text: String, error: KeyError) {
    #expect(throws: error) { try PublicKey.keys(inPEM: text) }
  }

  @Test func refusesTrailingDER() throws {
    let lines = KeyFixtures.p256.split(separator: "\n").dropFirst().dropLast()
    let der = try #require(Base64.decode(lines.joined()))
    _ = try PublicKey(subjectPublicKeyInfo: der)
    #expect(throws: KeyError.malformedKey) { try PublicKey(subjectPublicKeyInfo: der + [0]) }
    for length in der.indices {
      let prefix = Array(der.prefix(length))
      #expect(throws: KeyError.malformedKey) { try PublicKey(subjectPublicKeyInfo: prefix) }
    }
  }

  @Test func refusesBadJWKNumbers() throws {
    let (modulus, x, y) = (
      try #require(Self.modulus), try #require(Self.x), try #require(Self.y)
    )
    #expect(throws: KeyError.malformedKey) { try PublicKey(modulus: modulus, exponent: [1]) }
    #expect(throws: KeyError.malformedKey) { try PublicKey(modulus: modulus, exponent: [2]) }
    #expect(throws: KeyError.malformedKey) { try PublicKey(modulus: modulus, exponent: []) }
    #expect(throws: KeyError.self) { try PublicKey(modulus: [], exponent: [3]) }
    #expect(throws: KeyError.weakRSAKey(bits: 1024)) {
      try PublicKey(modulus: [0xFF] + modulus.suffix(127), exponent: [1, 0, 1])
    }
    #expect(throws: KeyError.tooLarge) {
      try PublicKey(modulus: [UInt8](repeating: 0xFF, count: 1025), exponent: [1, 0, 1])
    }
    #expect(throws: KeyError.malformedKey) { try PublicKey(x: x, y: x) }  // not on the curve
    #expect(throws: KeyError.malformedKey) { try PublicKey(x: [0] + x, y: y) }
    #expect(throws: KeyError.malformedKey) { try PublicKey(x: Array(x.dropFirst()), y: y) }
    let zeroes = [UInt8](repeating: 0, count: 32)
    #expect(throws: KeyError.malformedKey) { try PublicKey(x: zeroes, y: zeroes) }
  }

  @Test func errorsSayWhatIsWrong() {
    #expect(
      KeyError.weakRSAKey(bits: 1024).description == "an RSA key of 1024 bits, fewer than 2048")
  }
}
