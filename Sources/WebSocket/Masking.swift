// Masking of a client's payload, RFC 6455 section 5.3.

package enum Masking {
  /// Takes the mask off in place, eight bytes at a time.
  /// - Parameters:
  ///   - key: as in ``FrameHeader/mask``.
  ///   - offset: how many bytes of the frame's payload came before these.
  package static func unmask(
    _ bytes: inout MutableSpan<UInt8>, _ range: Range<Int>, key: UInt32, offset: Int = 0
  ) {
    guard key != 0, !range.isEmpty else { return }
    let rotation = UInt32(offset & 3) * 8
    let key = rotation == 0 ? key : key >> rotation | key << (32 - rotation)
    bytes.withUnsafeMutableBytes {
      unmask(UnsafeMutableRawBufferPointer(rebasing: $0[range]), key)
    }
  }

  private static func unmask(_ bytes: UnsafeMutableRawBufferPointer, _ key: UInt32) {
    // In memory order, whatever the machine's own.
    let wide = (UInt64(key) << 32 | UInt64(key)).littleEndian
    var position = 0
    while position + 8 <= bytes.count {
      let word = bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
      bytes.storeBytes(of: word ^ wide, toByteOffset: position, as: UInt64.self)
      position += 8
    }
    while position < bytes.count {
      bytes[position] ^= UInt8(truncatingIfNeeded: key >> (UInt32(position & 3) * 8))
      position += 1
    }
  }
}
