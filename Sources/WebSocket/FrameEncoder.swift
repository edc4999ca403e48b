// A server's frames, RFC 6455 section 5: unmasked and never fragmented, appended to a buffer.

package enum FrameEncoder {
  package static func append(_ opcode: Opcode, _ payload: [UInt8], to bytes: inout [UInt8]) {
    append(opcode, payload.span, to: &bytes)
  }

  package static func append(_ opcode: Opcode, _ payload: Span<UInt8>, to bytes: inout [UInt8]) {
    FrameHeader.append(opcode, length: payload.count, to: &bytes)
    payload.withUnsafeBufferPointer { bytes.append(contentsOf: $0) }
  }

  /// A Close frame; a reason over 123 bytes is cut between two characters (RFC 6455, 5.5).
  /// - Parameter code: nil for a Close frame without a body.
  package static func appendClose(
    _ code: CloseCode?, reason: String = "", to bytes: inout [UInt8]
  ) {
    guard let code else {
      FrameHeader.append(.close, length: 0, to: &bytes)
      return
    }
    var end = reason.startIndex
    for index in reason.unicodeScalars.indices {
      let next = reason.unicodeScalars.index(after: index)
      guard reason.utf8.distance(from: reason.startIndex, to: next) <= 123 else { break }
      end = next
    }
    let text = reason[..<end].utf8
    FrameHeader.append(.close, length: 2 + text.count, to: &bytes)
    bytes += [UInt8(code.value >> 8), UInt8(code.value & 0xFF)]
    bytes += text
  }
}
