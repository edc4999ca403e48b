// A private key of OpenSSL's, made in memory for a test, and the tokens that it signs.

import COpenSSL
import Crypto
import JSON

@testable import JWT

final class SigningKey {
  enum Failure: Error { case openssl }

  let algorithm: JWTAlgorithm
  private let key: OpaquePointer

  init(_ algorithm: JWTAlgorithm, rsaBits: Int32 = 2048) throws {
    let isRSA = algorithm == .rs256
    guard let context = EVP_PKEY_CTX_new_id(isRSA ? EVP_PKEY_RSA : EVP_PKEY_EC, nil) else {
      throw Failure.openssl
    }
    defer { EVP_PKEY_CTX_free(context) }
    var key: OpaquePointer?
    guard EVP_PKEY_keygen_init(context) == 1,
      (isRSA
        ? EVP_PKEY_CTX_set_rsa_keygen_bits(context, rsaBits)
        : EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1)) == 1,
      EVP_PKEY_generate(context, &key) == 1, let key
    else {
      throw Failure.openssl
    }
    self.algorithm = algorithm
    self.key = key
  }

  deinit { EVP_PKEY_free(key) }

  func publicPEM() throws -> String {
    let length = Int(i2d_PUBKEY(key, nil))
    guard length > 0 else { throw Failure.openssl }
    let der = [UInt8](unsafeUninitializedCapacity: length) { output, count in
      var cursor = output.baseAddress
      count = Int(i2d_PUBKEY(key, &cursor))
    }
    return "-----BEGIN PUBLIC KEY-----\n\(Base64.encode(der))\n-----END PUBLIC KEY-----\n"
  }

  /// A JWK (RFC 7517 §4) with those members besides the key's own.
  func jwk(_ members: [String: JSONValue] = [:]) throws -> JSONValue {
    var jwk: [String: JSONValue] =
      if algorithm == .rs256 {
        [
          "kty": "RSA", "n": try number(OSSL_PKEY_PARAM_RSA_N),
          "e": try number(OSSL_PKEY_PARAM_RSA_E),
        ]
      } else {
        [
          "kty": "EC", "crv": "P-256", "x": try number(OSSL_PKEY_PARAM_EC_PUB_X, length: 32),
          "y": try number(OSSL_PKEY_PARAM_EC_PUB_Y, length: 32),
        ]
      }
    jwk.merge(members) { _, given in given }
    return .object(jwk)
  }

  private func number(_ name: String, length: Int32? = nil) throws -> JSONValue {
    var number: OpaquePointer?
    guard EVP_PKEY_get_bn_param(key, name, &number) == 1 else { throw Failure.openssl }
    defer { BN_free(number) }
    let count = length ?? (BN_num_bits(number) + 7) / 8
    return .string(Base64URL.encode(Self.bytes(number, count)))
  }

  private static func bytes(_ number: OpaquePointer?, _ length: Int32) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: Int(length)) { output, count in
      BN_bn2binpad(number, output.baseAddress, length)
      count = Int(length)
    }
  }

  func sign(claims: JSONValue, keyId: String? = nil) throws -> String {
    var header: [String: JSONValue] = ["alg": .string(algorithm.rawValue)]
    if let keyId { header["kid"] = .string(keyId) }
    let input =
      Base64URL.encode(JSONValue.object(header).serialized()) + "."
      + Base64URL.encode(claims.serialized())
    return input + "." + Base64URL.encode(try signature(of: Array(input.utf8)))
  }

  private func signature(of message: [UInt8]) throws -> [UInt8] {
    guard let context = EVP_MD_CTX_new() else { throw Failure.openssl }
    defer { EVP_MD_CTX_free(context) }
    var signature = [UInt8](repeating: 0, count: 1024)
    var length = signature.count
    guard EVP_DigestSignInit(context, nil, EVP_sha256(), nil, key) == 1,
      EVP_DigestSign(context, &signature, &length, message, message.count) == 1
    else {
      throw Failure.openssl
    }
    let made = Array(signature.prefix(length))
    return algorithm == .rs256 ? made : try Self.raw(made)
  }

  /// JOSE's `r || s` (RFC 7518 §3.4) of OpenSSL's DER.
  private static func raw(_ der: [UInt8]) throws -> [UInt8] {
    let parsed = der.withUnsafeBufferPointer { buffer in
      var cursor = buffer.baseAddress
      return d2i_ECDSA_SIG(nil, &cursor, buffer.count)
    }
    guard let parsed else { throw Failure.openssl }
    defer { ECDSA_SIG_free(parsed) }
    return bytes(ECDSA_SIG_get0_r(parsed), 32) + bytes(ECDSA_SIG_get0_s(parsed), 32)
  }
}
