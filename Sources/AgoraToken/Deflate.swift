// The zlib format (RFC 1950) of a token's payload, in bounds.

import CZlib
import Synchronization

enum Deflate {
  /// One stream for all tokens: making one anew takes 60 µs, using this one 8 µs.
  private static let compressor = Mutex(Compressor())

  /// With the level that Agora's own libraries use, zlib's default.
  static func compress(_ bytes: [UInt8]) throws(AgoraTokenError) -> [UInt8] {
    guard let compressed = compressor.withLock({ $0.compress(bytes) }) else {
      throw .deflateFailed
    }
    return compressed
  }

  /// - Parameter limit: of what comes out, in bytes.
  /// - Throws: `.invalidDeflate` where the input is damaged, incomplete, followed by anything, or
  ///   would inflate to more than `limit`.
  static func decompress(_ bytes: [UInt8], limit: Int) throws(AgoraTokenError) -> [UInt8] {
    var status = Z_OK
    var consumed = uLong(bytes.count)
    let inflated = [UInt8](unsafeUninitializedCapacity: limit) { output, count in
      var length = uLongf(limit)
      status = uncompress2(output.baseAddress, &length, bytes, &consumed)
      count = status == Z_OK ? Int(length) : 0
    }
    guard status == Z_OK, consumed == uLong(bytes.count) else { throw .invalidDeflate }
    return inflated
  }
}

/// A deflate stream that is reset and used again.
private struct Compressor: ~Copyable {
  /// Nil where zlib had no memory for one. At a fixed address, because zlib points back to it.
  private let stream: UnsafeMutablePointer<z_stream>?

  /// zlib's default, as it stands in the text's first byte.
  private static let windowBits: Int32 = 15
  /// Room for a thousand symbols. The default, 8, is for longer texts: 128 KB more, of which 64 are
  /// cleared for each token.
  private static let memoryLevel: Int32 = 4

  init() {
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    stream.initialize(to: z_stream())
    let size = Int32(MemoryLayout<z_stream>.size)
    let status = deflateInit2_(
      stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, Self.windowBits, Self.memoryLevel,
      Z_DEFAULT_STRATEGY, ZLIB_VERSION, size)
    if status == Z_OK {
      self.stream = stream
    } else {
      stream.deallocate()
      self.stream = nil
    }
  }

  deinit {
    guard let stream else { return }
    deflateEnd(stream)
    stream.deallocate()
  }

  func compress(_ bytes: [UInt8]) -> [UInt8]? {
    guard let stream, deflateReset(stream) == Z_OK else { return nil }
    var status = Z_OK
    let capacity = Int(deflateBound(stream, uLong(bytes.count)))
    let compressed = [UInt8](unsafeUninitializedCapacity: capacity) { output, count in
      bytes.withUnsafeBufferPointer { input in
        // zlib declares its input mutable, and does not touch it.
        stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
        stream.pointee.avail_in = uInt(input.count)
        stream.pointee.next_out = output.baseAddress
        stream.pointee.avail_out = uInt(output.count)
        status = deflate(stream, Z_FINISH)
      }
      count = output.count - Int(stream.pointee.avail_out)
    }
    return status == Z_STREAM_END ? compressed : nil
  }
}
