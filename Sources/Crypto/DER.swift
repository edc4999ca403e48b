// The few ASN.1 forms in DER (X.690) that keys and ECDSA signatures are handed to OpenSSL in.

enum DER {
  /// A `SubjectPublicKeyInfo` of an RSA key (RFC 3279 §2.3.1); both numbers big-endian.
  static func rsaPublicKey(modulus: [UInt8], exponent: [UInt8]) -> [UInt8] {
    // SEQUENCE { OBJECT IDENTIFIER rsaEncryption, NULL }
    let algorithm: [UInt8] = [
      0x30, 0x0D, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01, 0x05, 0x00,
    ]
    let key = sequence(integer(modulus) + integer(exponent))
    return sequence(algorithm + bitString(key))
  }

  /// A `SubjectPublicKeyInfo` of a point on P-256 (RFC 5480 §2); coordinates of 32 bytes each.
  static func p256PublicKey(x: [UInt8], y: [UInt8]) -> [UInt8] {
    // SEQUENCE { OBJECT IDENTIFIER id-ecPublicKey, OBJECT IDENTIFIER secp256r1 }
    let algorithm: [UInt8] = [
      0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01,
      0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07,
    ]
    let uncompressed: [UInt8] = [0x04]
    return sequence(algorithm + bitString(uncompressed + x + y))
  }

  /// An `Ecdsa-Sig-Value` (RFC 3279 §2.2.3) of JOSE's `r || s` (RFC 7518 §3.4), 64 bytes.
  static func ecdsaSignature(_ raw: [UInt8]) -> [UInt8] {
    sequence(integer(Array(raw.prefix(32))) + integer(Array(raw.dropFirst(32))))
  }

  private static func sequence(_ content: [UInt8]) -> [UInt8] { element(0x30, content) }

  private static func bitString(_ content: [UInt8]) -> [UInt8] { element(0x03, [0] + content) }

  /// A non-negative integer: no leading zeros but the one that keeps it from being negative.
  private static func integer(_ magnitude: [UInt8]) -> [UInt8] {
    let digits = Array(magnitude.drop { $0 == 0 })
    let needsZero = digits.first.map { $0 >= 0x80 } ?? true
    return element(0x02, needsZero ? [0] + digits : digits)
  }

  private static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
    let count = content.count
    let length: [UInt8] =
      switch count {
      case 0..<0x80: [UInt8(count)]
      case 0x80..<0x100: [0x81, UInt8(count)]
      default: [0x82, UInt8(count >> 8), UInt8(count & 0xFF)]
      }
    return [tag] + length + content
  }
}
