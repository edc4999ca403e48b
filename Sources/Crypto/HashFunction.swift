// SHA-1 (the WebSocket handshake, RFC 6455 §4.2.2) and SHA-2, FIPS 180-4, by OpenSSL.

import COpenSSL

package enum HashFunction: Sendable {
  case sha1, sha256, sha384, sha512

  /// In bytes.
  package var digestLength: Int {
    switch self {
    case .sha1: 20
    case .sha256: 32
    case .sha384: 48
    case .sha512: 64
    }
  }

  var implementation: OpaquePointer? {
    switch self {
    case .sha1: EVP_sha1()
    case .sha256: EVP_sha256()
    case .sha384: EVP_sha384()
    case .sha512: EVP_sha512()
    }
  }

  func digest(_ message: [UInt8]) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: digestLength) { output, count in
      let result = EVP_Digest(
        message, message.count, output.baseAddress, nil, implementation, nil)
      // Fails for want of memory only, where every allocation of Swift's own traps as well.
      precondition(result == 1, "EVP_Digest failed")
      count = digestLength
    }
  }
}

package enum SHA1 {
  package static func digest(_ message: [UInt8]) -> [UInt8] { HashFunction.sha1.digest(message) }
}

package enum SHA256 {
  package static func digest(_ message: [UInt8]) -> [UInt8] { HashFunction.sha256.digest(message) }
}
