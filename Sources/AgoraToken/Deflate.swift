// The zlib format (RFC 1950) of a token's payload, in bounds.

import CZlib

enum Deflate {
  /// With the level that Agora's own libraries use, zlib's default.
  static func compress(_ bytes: [UInt8]) throws(AgoraTokenError) -> [UInt8] {
    var status = Z_OK
    let compressed = [UInt8](
      unsafeUninitializedCapacity: Int(compressBound(uLong(bytes.count)))
    ) { output, count in
      var length = uLongf(output.count)
      status = compress2(output.baseAddress, &length, bytes, uLong(bytes.count), 6)
      count = status == Z_OK ? Int(length) : 0
    }
    guard status == Z_OK else { throw .deflateFailed }
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
