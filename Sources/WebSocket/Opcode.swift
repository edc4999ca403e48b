// What a frame is, RFC 6455 sections 5.2 and 11.8.

package enum Opcode: UInt8, Sendable {
  case continuation = 0x0
  case text = 0x1
  case binary = 0x2
  case close = 0x8
  case ping = 0x9
  case pong = 0xA

  /// Control frames: 125 bytes at the most, never fragmented, allowed between the fragments of a
  /// message (RFC 6455, 5.5).
  package var isControl: Bool { rawValue & 0x8 != 0 }
}
