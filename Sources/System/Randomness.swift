// Random bytes from the kernel (getrandom(2)).

import CLinux
import Glibc

/// Where ids and salts get their bytes: passed in, so that a test can fix them.
package struct Randomness: Sendable {
  package let bytes: @Sendable (_ count: Int) -> [UInt8]

  package init(bytes: @escaping @Sendable (_ count: Int) -> [UInt8]) { self.bytes = bytes }

  package static let system = Randomness { count in
    [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        // Fails only when interrupted: the pool has been ready since boot.
        let read = getrandom(buffer.baseAddress! + filled, count - filled, 0)
        if read > 0 { filled += read }
      }
    }
  }

  /// `count` random bytes as lower-case hexadecimal digits, two each.
  package func hexadecimal(bytes count: Int) -> String { System.hexadecimal(bytes(count)) }

  package func uint32() -> UInt32 {
    bytes(4).reduce(0) { $0 << 8 | UInt32($1) }
  }
}

private let hexadecimalDigits = Array("0123456789abcdef".utf8)

/// Lower-case, two digits a byte.
package func hexadecimal(_ bytes: [UInt8]) -> String {
  String(unsafeUninitializedCapacity: bytes.count * 2) { buffer in
    var position = 0
    for byte in bytes {
      buffer[position] = hexadecimalDigits[Int(byte >> 4)]
      buffer[position + 1] = hexadecimalDigits[Int(byte & 15)]
      position += 2
    }
    return position
  }
}
