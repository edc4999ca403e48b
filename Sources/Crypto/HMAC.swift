// Keyed hashing (RFC 2104), and the comparison that goes with it.

import COpenSSL

package enum HMAC {
  /// The authentication code, `function.digestLength` bytes of it.
  ///
  /// Two digests, as RFC 2104 section 2 says. OpenSSL's HMAC() fetches the algorithm, a MAC and a
  /// context of each kind anew: 22 thousand instructions on the average of a token request's four,
  /// this 15 (callgrind, which counts SHA-256 itself in software).
  package static func authenticate(
    _ function: HashFunction, key: [UInt8], message: Span<UInt8>
  ) -> [UInt8] {
    var digest = HashFunction.Digest()
    let key = key.count > function.blockLength ? digest.of(function, key.span) : key
    func padded(_ padding: UInt8) -> [UInt8] {
      var block = [UInt8](repeating: padding, count: function.blockLength)
      for index in key.indices { block[index] ^= key[index] }
      return block
    }
    let inner = digest.of(function, padded(0x36).span, message)
    return digest.of(function, padded(0x5C).span, inner.span)
  }

  package static func authenticate(
    _ function: HashFunction, key: [UInt8], message: [UInt8]
  ) -> [UInt8] {
    authenticate(function, key: key, message: message.span)
  }
}

/// Whether the two are equal, in a time that depends on their length alone.
package func constantTimeEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
  left.count == right.count && CRYPTO_memcmp(left, right, left.count) == 0
}
