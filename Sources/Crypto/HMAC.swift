// Keyed hashing (RFC 2104), and the comparison that goes with it.

import COpenSSL

package enum HMAC {
  /// The authentication code, `function.digestLength` bytes of it.
  package static func authenticate(
    _ function: HashFunction, key: [UInt8], message: Span<UInt8>
  ) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: function.digestLength) { output, count in
      let result = message.withUnsafeBufferPointer { message in
        COpenSSL.HMAC(
          function.implementation, key, Int32(key.count), message.baseAddress, message.count,
          output.baseAddress, nil)
      }
      // Fails for want of memory only, where every allocation of Swift's own traps as well.
      precondition(result != nil, "HMAC failed")
      count = function.digestLength
    }
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
