// SHA-1 (the WebSocket handshake, RFC 6455 §4.2.2) and SHA-2, FIPS 180-4, by OpenSSL.

import COpenSSL

package enum HashFunction: Sendable {
  case sha1, sha256, sha384, sha512

  /// Of what goes into the function at a time, in bytes.
  var blockLength: Int {
    switch self {
    case .sha1, .sha256: 64
    case .sha384, .sha512: 128
    }
  }

  /// In bytes.
  package var digestLength: Int {
    switch self {
    case .sha1: 20
    case .sha256: 32
    case .sha384: 48
    case .sha512: 64
    }
  }

  /// OpenSSL's own, looked up among its providers once; `EVP_sha256()` and its like stand for a name
  /// that is looked up again with every use (OpenSSL 3, crypto(7), "Performance").
  private var implementation: OpaquePointer? {
    switch self {
    case .sha1: Implementation.sha1.pointer
    case .sha256: Implementation.sha256.pointer
    case .sha384: Implementation.sha384.pointer
    case .sha512: Implementation.sha512.pointer
    }
  }

  func digest(_ message: [UInt8]) -> [UInt8] {
    var digest = Digest()
    return digest.of(self, message.span)
  }

  /// A calculation, which may be followed by others.
  struct Digest: ~Copyable {
    private let context = EVP_MD_CTX_new()

    deinit { EVP_MD_CTX_free(context) }

    /// Of the parts, one after the other.
    mutating func of(_ function: HashFunction, _ first: Span<UInt8>, _ second: Span<UInt8>? = nil)
      -> [UInt8]
    {
      [UInt8](unsafeUninitializedCapacity: function.digestLength) { output, count in
        var isDone = EVP_DigestInit_ex2(context, function.implementation, nil) == 1
        isDone = update(first) && isDone
        if let second { isDone = update(second) && isDone }
        isDone = EVP_DigestFinal_ex(context, output.baseAddress, nil) == 1 && isDone
        // Fails for want of memory only, where every allocation of Swift's own traps as well.
        precondition(isDone, "EVP_Digest failed")
        count = function.digestLength
      }
    }

    private func update(_ part: Span<UInt8>) -> Bool {
      part.withUnsafeBufferPointer { EVP_DigestUpdate(context, $0.baseAddress, $0.count) } == 1
    }
  }
}

private struct Implementation: Sendable {
  /// Unsafe only to the compiler: an `EVP_MD` that was fetched never changes and serves all threads at once (OpenSSL's
  /// crypto(7)), and it lives as long as the process.
  nonisolated(unsafe) let pointer: OpaquePointer?

  static let sha1 = Implementation(pointer: EVP_MD_fetch(nil, "SHA1", nil))
  static let sha256 = Implementation(pointer: EVP_MD_fetch(nil, "SHA256", nil))
  static let sha384 = Implementation(pointer: EVP_MD_fetch(nil, "SHA384", nil))
  static let sha512 = Implementation(pointer: EVP_MD_fetch(nil, "SHA512", nil))
}

package enum SHA1 {
  package static func digest(_ message: [UInt8]) -> [UInt8] { HashFunction.sha1.digest(message) }
}

package enum SHA256 {
  package static func digest(_ message: [UInt8]) -> [UInt8] { HashFunction.sha256.digest(message) }
}
