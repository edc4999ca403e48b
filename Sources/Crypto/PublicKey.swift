// A public key that verifies RS256 or ES256 signatures (RFC 7518 §3.3, §3.4), by OpenSSL.

import COpenSSL

package final class PublicKey: Sendable {
  package enum Kind: Sendable { case rsa, p256 }

  /// RFC 7518 §3.3.
  package static let minimumRSABits = 2048
  /// Beyond it a verification takes milliseconds.
  package static let maximumRSABits = 8192
  /// Of a PEM text, in bytes.
  package static let maximumTextLength = 64 * 1024

  package let kind: Kind
  /// Unsafe only to the compiler: OpenSSL lets threads share an `EVP_PKEY` in operations that do not change it, and after
  /// `init` nothing here does.
  private nonisolated(unsafe) let key: OpaquePointer

  /// - Parameter subjectPublicKeyInfo: RFC 5280 §4.1.2.7, in DER, and nothing after it.
  package init(subjectPublicKeyInfo bytes: [UInt8]) throws(KeyError) {
    let key: OpaquePointer? = bytes.withUnsafeBufferPointer { buffer in
      var cursor = buffer.baseAddress
      let key = d2i_PUBKEY(nil, &cursor, buffer.count)
      if let key, cursor != buffer.baseAddress.map({ $0 + buffer.count }) {
        EVP_PKEY_free(key)
        return nil
      }
      return key
    }
    ERR_clear_error()
    guard let key else { throw .malformedKey }
    do throws(KeyError) {
      kind = try Self.checkedKind(of: key)
    } catch {
      EVP_PKEY_free(key)
      throw error
    }
    self.key = key
  }

  deinit { EVP_PKEY_free(key) }

  /// A JWK's `n` and `e` (RFC 7518 §6.3.1), big-endian.
  package convenience init(modulus: [UInt8], exponent: [UInt8]) throws(KeyError) {
    guard modulus.count <= Self.maximumRSABits / 8, exponent.count <= Self.maximumRSABits / 8 else {
      throw .tooLarge
    }
    try self.init(
      subjectPublicKeyInfo: DER.rsaPublicKey(modulus: modulus, exponent: exponent))
  }

  /// A JWK's `x` and `y` on P-256 (RFC 7518 §6.2.1), 32 bytes each.
  package convenience init(x: [UInt8], y: [UInt8]) throws(KeyError) {
    guard x.count == 32, y.count == 32 else { throw .malformedKey }
    try self.init(subjectPublicKeyInfo: DER.p256PublicKey(x: x, y: y))
  }

  /// Every `PUBLIC KEY` block of a PEM text; there is at least one.
  package static func keys(inPEM text: String) throws(KeyError) -> [PublicKey] {
    guard text.utf8.count <= maximumTextLength else { throw .tooLarge }
    var keys: [PublicKey] = []
    for block in try PEM.blocks(in: text) {
      guard !block.label.hasSuffix("PRIVATE KEY") else { throw .privateKey }
      guard block.label == "PUBLIC KEY" else { continue }
      keys.append(try PublicKey(subjectPublicKeyInfo: block.content))
    }
    guard !keys.isEmpty else { throw .noPublicKey }
    return keys
  }

  private static func checkedKind(of key: OpaquePointer) throws(KeyError) -> Kind {
    switch EVP_PKEY_get_base_id(key) {
    case EVP_PKEY_RSA:
      let bits = Int(EVP_PKEY_get_bits(key))
      guard bits >= minimumRSABits else { throw .weakRSAKey(bits: bits) }
      guard bits <= maximumRSABits else { throw .tooLarge }
      guard hasSoundExponent(key) else { throw .malformedKey }
      return .rsa
    case EVP_PKEY_EC:
      guard EVP_PKEY_get_bits(key) == 256, groupName(key) == SN_X9_62_prime256v1 else {
        throw .unsupportedKey
      }
      return .p256
    default:
      throw .unsupportedKey
    }
  }

  /// Odd and not 1: with an exponent of 1 anybody can sign.
  private static func hasSoundExponent(_ key: OpaquePointer) -> Bool {
    var exponent: OpaquePointer?
    guard EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1 else { return false }
    defer { BN_free(exponent) }
    return BN_is_odd(exponent) == 1 && BN_is_one(exponent) == 0
  }

  private static func groupName(_ key: OpaquePointer) -> String? {
    var name = [CChar](repeating: 0, count: 64)
    var length = 0
    guard EVP_PKEY_get_group_name(key, &name, name.count, &length) == 1 else { return nil }
    return String(decoding: name.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}

extension PublicKey {
  /// RSASSA-PKCS1-v1_5 with SHA-256; false also where this is no RSA key.
  package func verifyRS256(signature: [UInt8], message: Span<UInt8>) -> Bool {
    guard kind == .rsa, signature.count == Int(EVP_PKEY_get_size(key)) else { return false }
    return verify(signature, message)
  }

  /// ECDSA on P-256 with SHA-256; false also where this is no P-256 key.
  ///
  /// - Parameter signature: r and s, 32 bytes each, big-endian.
  package func verifyES256(signature: [UInt8], message: Span<UInt8>) -> Bool {
    guard kind == .p256, signature.count == 64 else { return false }
    return verify(DER.ecdsaSignature(signature), message)
  }

  private func verify(_ signature: [UInt8], _ message: Span<UInt8>) -> Bool {
    guard let context = EVP_MD_CTX_new() else { return false }
    defer {
      EVP_MD_CTX_free(context)
      ERR_clear_error()  // a refused signature leaves its reason in the thread's queue
    }
    return message.withUnsafeBufferPointer { message in
      EVP_DigestVerifyInit(context, nil, EVP_sha256(), nil, key) == 1
        && EVP_DigestVerify(
          context, signature, signature.count, message.baseAddress, message.count) == 1
    }
  }
}
