// The one buffer that all connections read through. Frames are unmasked and handed on in it, so it
// is never copied; nothing of it survives the handling of one read.

import Glibc

final class ReadBuffer {
  private let bytes = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 65_536)

  deinit { bytes.deallocate() }

  /// - Returns: as recv(2): 0 at the end of the stream, -1 with errno.
  func receive(from raw: Int32) -> Int {
    recv(raw, bytes.baseAddress, bytes.count, Int32(MSG_DONTWAIT))
  }

  /// The first `count` bytes of what was received.
  func withBytes<Failure: Error>(
    _ count: Int, _ body: (inout MutableSpan<UInt8>) throws(Failure) -> Void
  ) throws(Failure) {
    var span = MutableSpan(_unsafeElements: bytes[..<count])
    try body(&span)
  }
}
