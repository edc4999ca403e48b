// The header of a frame, RFC 6455 section 5.2: parsed from a client's bytes, written for a server's.

package struct FrameHeader: Sendable, Equatable {
  /// Two bytes, eight of length, four of mask.
  package static let maximumBytes = 14

  package var isFinal: Bool
  package var opcode: Opcode
  /// The payload's length in bytes.
  package var length: Int
  /// The masking key as it stands in memory: its first byte is the lowest.
  package var mask: UInt32
  /// How many bytes the header itself has.
  package var byteCount: Int

  /// Reads the header at the beginning of `bytes`, as a server reads a client's.
  ///
  /// Every rule is checked as soon as the bytes that it is about are there, so that a bad frame is
  /// refused before anything of its payload is waited for.
  /// - Parameter limit: the longest payload that a data frame may have.
  /// - Returns: nil where the header goes on behind `bytes`.
  /// - Throws: 1002 (protocol error) or 1009 (message too big).
  package static func parse(
    _ bytes: Span<UInt8>, limit: Int
  ) throws(WebSocketFailure) -> FrameHeader? {
    guard bytes.count >= 1 else { return nil }
    let isFinal = bytes[0] & 0x80 != 0
    let opcode = try opcode(bytes[0], isFinal)
    guard bytes.count >= 2 else { return nil }
    guard bytes[1] & 0x80 != 0 else { throw WebSocketFailure(.protocolError, "unmasked frame") }
    guard let length = try length(bytes, isControl: opcode.isControl) else { return nil }
    if !opcode.isControl, length.value > limit {
      throw WebSocketFailure(.messageTooBig, "message too big")
    }
    guard bytes.count >= length.end + 4 else { return nil }
    let mask = bytes.bytes.unsafeLoadUnaligned(fromByteOffset: length.end, as: UInt32.self)
    return FrameHeader(
      isFinal: isFinal, opcode: opcode, length: length.value, mask: UInt32(littleEndian: mask),
      byteCount: length.end + 4)
  }

  private static func opcode(
    _ byte: UInt8, _ isFinal: Bool
  ) throws(WebSocketFailure) -> Opcode {
    // No extension is ever agreed on, so nothing gives the RSV bits a meaning.
    guard byte & 0x70 == 0 else { throw WebSocketFailure(.protocolError, "reserved bits") }
    guard let opcode = Opcode(rawValue: byte & 0x0F) else {
      throw WebSocketFailure(.protocolError, "reserved opcode")
    }
    guard isFinal || !opcode.isControl else {
      throw WebSocketFailure(.protocolError, "fragmented control frame")
    }
    return opcode
  }

  /// The length and where its field ends.
  private static func length(
    _ bytes: Span<UInt8>, isControl: Bool
  ) throws(WebSocketFailure) -> (value: Int, end: Int)? {
    let short = Int(bytes[1] & 0x7F)
    if short <= 125 { return (short, 2) }
    if isControl { throw WebSocketFailure(.protocolError, "control frame too long") }
    let end = short == 126 ? 4 : 10
    guard bytes.count >= end else { return nil }
    var value: UInt64 = 0
    for index in 2..<end { value = value << 8 | UInt64(bytes[index]) }
    guard value >> 63 == 0 else { throw WebSocketFailure(.protocolError, "length out of range") }
    guard value > (short == 126 ? 125 : 0xFFFF) else {
      throw WebSocketFailure(.protocolError, "length not minimal")
    }
    return (Int(value), end)
  }

  /// Appends the header of a server's frame: whole and unmasked (RFC 6455, 5.1).
  package static func append(_ opcode: Opcode, length: Int, to bytes: inout [UInt8]) {
    bytes.append(0x80 | opcode.rawValue)
    switch length {
    case ...125: bytes.append(UInt8(length))
    case ...0xFFFF:
      bytes += [126, UInt8(length >> 8), UInt8(length & 0xFF)]
    default:
      bytes.append(127)
      for shift in stride(from: 56, through: 0, by: -8) {
        bytes.append(UInt8(truncatingIfNeeded: length >> shift))
      }
    }
  }
}
