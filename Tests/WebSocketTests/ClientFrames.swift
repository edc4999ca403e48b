// A client's side of the protocol for the tests: masked frames, and a decoder's answers as values.

import WebSocket

enum ClientFrames {
  static func frame(
    _ opcode: UInt8, _ payload: [UInt8] = [], isFinal: Bool = true, reserved: UInt8 = 0,
    mask: [UInt8]? = [0x37, 0xFA, 0x21, 0x3D]
  ) -> [UInt8] {
    var bytes = header(opcode, payload.count, isFinal: isFinal, mask: mask)
    bytes[0] |= reserved << 4
    guard let mask else { return bytes + payload }
    return bytes + payload.enumerated().map { $1 ^ mask[$0 % 4] }
  }

  static func header(_ opcode: UInt8, _ length: Int, isFinal: Bool, mask: [UInt8]?) -> [UInt8] {
    var bytes: [UInt8] = [(isFinal ? 0x80 : 0) | opcode]
    let maskBit: UInt8 = mask == nil ? 0 : 0x80
    switch length {
    case ...125: bytes.append(maskBit | UInt8(length))
    case ...0xFFFF: bytes += [maskBit | 126, UInt8(length >> 8), UInt8(length & 0xFF)]
    default:
      bytes.append(maskBit | 127)
      for shift in stride(from: 56, through: 0, by: -8) {
        bytes.append(UInt8(truncatingIfNeeded: length >> shift))
      }
    }
    return bytes + (mask ?? [])
  }

  static func text(_ text: String, isFinal: Bool = true) -> [UInt8] {
    frame(1, Array(text.utf8), isFinal: isFinal)
  }

  static func close(_ code: UInt16, _ reason: [UInt8] = []) -> [UInt8] {
    frame(8, [UInt8(code >> 8), UInt8(code & 0xFF)] + reason)
  }
}

/// What a decoder made of a stream that came in pieces, up to the peer's Close frame.
struct Decoded: Equatable {
  struct Item: Equatable {
    var kind: Received
    var payload: [UInt8]
  }

  var items: [Item] = []
  var failure: CloseCode?
  /// How many bytes had come when the decoder refused.
  var failedAt: Int?
  var isIdle = true

  private var isClosed: Bool {
    if case .close = items.last?.kind { true } else { false }
  }

  init(_ bytes: [UInt8], by size: Int = .max, limit: Int = 1 << 20) {
    var decoder = MessageDecoder()
    var position = 0
    while position < bytes.count, failure == nil, !isClosed {
      let end = position + min(size, bytes.count - position)
      var piece = Array(bytes[position..<end])
      position = end
      var span = piece.mutableSpan
      var items: [Item] = []
      do throws(WebSocketFailure) {
        try decoder.decode(&span, limit: limit) { kind, payload in
          items.append(Item(kind: kind, payload: payload.withUnsafeBufferPointer(Array.init)))
          return true
        }
      } catch {
        failure = error.code
        failedAt = position
      }
      self.items += items
    }
    isIdle = decoder.isIdle
  }

  var texts: [String] {
    items.filter { $0.kind == .text }.map { String(decoding: $0.payload, as: UTF8.self) }
  }

  var kinds: [Received] { items.map(\.kind) }
}
