// UTF-8 as it comes in, RFC 3629, refused at the first byte that cannot be part of any valid text:
// what "fail fast" asks of a text message whose end has not come (RFC 6455, 8.1).

package struct UTF8Validator: Sendable {
  /// Continuation bytes that the character begun needs, 0–3, and the range of the next of them.
  private var needed: UInt8 = 0
  private var lower: UInt8 = 0x80
  private var upper: UInt8 = 0xBF

  package init() {}

  /// Whether the text could end here.
  package var isComplete: Bool { needed == 0 }

  /// - Returns: false as soon as the text cannot become valid any more.
  package mutating func accept(_ bytes: Span<UInt8>) -> Bool {
    var position = 0
    while position < bytes.count {
      if needed == 0 {
        position = Self.skipASCII(bytes, from: position)
        if position == bytes.count { return true }
      }
      guard accept(bytes[position]) else { return false }
      position += 1
    }
    return true
  }

  /// Where the first byte stands that is not ASCII, at or behind `start`.
  private static func skipASCII(_ bytes: Span<UInt8>, from start: Int) -> Int {
    let raw = bytes.bytes
    var position = start
    while position + 8 <= bytes.count,
      raw.unsafeLoadUnaligned(fromByteOffset: position, as: UInt64.self) & 0x8080_8080_8080_8080
        == 0
    {
      position += 8
    }
    while position < bytes.count, bytes[position] < 0x80 { position += 1 }
    return position
  }

  private mutating func accept(_ byte: UInt8) -> Bool {
    if needed > 0 {
      guard lower...upper ~= byte else { return false }
      needed -= 1
      (lower, upper) = (0x80, 0xBF)
      return true
    }
    // The second byte's range is narrower where a longer form, a surrogate or something over
    // U+10FFFF would fit (RFC 3629, section 4).
    switch byte {
    case 0x00...0x7F: break
    case 0xC2...0xDF: needed = 1
    case 0xE0: (needed, lower) = (2, 0xA0)
    case 0xED: (needed, upper) = (2, 0x9F)
    case 0xE1...0xEF: needed = 2
    case 0xF0: (needed, lower) = (3, 0x90)
    case 0xF1...0xF3: needed = 3
    case 0xF4: (needed, upper) = (3, 0x8F)
    default: return false
    }
    return true
  }
}
