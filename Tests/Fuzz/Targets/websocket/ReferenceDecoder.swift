// RFC 6455, sections 5–8, as plainly as it can be written: a whole stream at once, every frame copied,
// no regard to speed. What it says of a stream is what the product's decoder has to say.

import WebSocket

struct ReferenceDecoder {
  let limit: Int
  private(set) var items: [Item] = []
  private(set) var failure: CloseCode?
  private var opened: UInt8?
  private var message: [UInt8] = []

  init(limit: Int) { self.limit = limit }

  private enum Stop: Error {
    case endOfStream, closed
    case failure(CloseCode)
  }

  mutating func decode(_ stream: [UInt8]) {
    var rest = stream[...]
    do throws(Stop) {
      while true { try frame(&rest) }
    } catch {
      if case .failure(let code) = error { failure = code }
    }
  }

  private mutating func frame(_ rest: inout ArraySlice<UInt8>) throws(Stop) {
    let first = try Self.byte(&rest)
    let opcode = first & 0x0F
    let isFinal = first & 0x80 != 0
    let isControl = opcode >= 8
    try Self.require(first & 0x70 == 0 && [0, 1, 2, 8, 9, 10].contains(opcode))
    try Self.require(isFinal || !isControl)
    let length = try Self.length(&rest, isControl: isControl)
    // Bounds first, so that nothing is waited for that will be refused.
    if !isControl, length > limit - message.count { throw .failure(.messageTooBig) }
    var mask: [UInt8] = []
    for _ in 0..<4 { mask.append(try Self.byte(&rest)) }
    if !isControl {
      try Self.require((opcode == 0) == (opened != nil))
      if opcode != 0 { opened = opcode }
    }
    let isWhole = rest.count >= length
    let payload = rest.prefix(length).enumerated().map { $1 ^ mask[$0 % 4] }
    rest = rest.dropFirst(length)
    if isControl {
      if !isWhole { throw .endOfStream }
      try control(opcode, payload)
    } else {
      try data(payload, isWhole: isWhole, isFinal: isFinal)
    }
  }

  private static func byte(_ rest: inout ArraySlice<UInt8>) throws(Stop) -> UInt8 {
    guard let byte = rest.popFirst() else { throw .endOfStream }
    return byte
  }

  private static func require(_ holds: Bool) throws(Stop) {
    if !holds { throw .failure(.protocolError) }
  }

  private static func length(
    _ rest: inout ArraySlice<UInt8>, isControl: Bool
  ) throws(Stop) -> Int {
    let second = try byte(&rest)
    try require(second & 0x80 != 0)
    let short = second & 0x7F
    try require(!isControl || short <= 125)
    if short <= 125 { return Int(short) }
    var length: UInt64 = 0
    for _ in 0..<(short == 126 ? 2 : 8) { length = length << 8 | UInt64(try byte(&rest)) }
    try require(length <= Int64.max && length > (short == 126 ? 125 : 65_535))
    return Int(length)
  }

  private mutating func control(_ opcode: UInt8, _ payload: [UInt8]) throws(Stop) {
    switch opcode {
    case 9: items.append(Item(kind: .ping, payload: payload))
    case 10: items.append(Item(kind: .pong, payload: payload))
    default:
      try Self.require(payload.count != 1)
      guard payload.count >= 2 else {
        items.append(Item(kind: .close(nil), payload: []))
        throw .closed
      }
      let code = UInt16(payload[0]) * 256 + UInt16(payload[1])
      let isSendable = (1000...4999).contains(code) && !(1015...2999).contains(code)
      try Self.require(isSendable && ![1004, 1005, 1006].contains(code))
      let reason = Array(payload.dropFirst(2))
      if String(validating: reason, as: UTF8.self) == nil { throw .failure(.invalidPayload) }
      items.append(Item(kind: .close(CloseCode(code)), payload: reason))
      throw .closed
    }
  }

  private mutating func data(_ payload: [UInt8], isWhole: Bool, isFinal: Bool) throws(Stop) {
    message += payload
    let isText = opened == 1
    if isText, !isBeginningOfText(message) { throw .failure(.invalidPayload) }
    if !isWhole { throw .endOfStream }
    if !isFinal {
      items.append(Item(kind: .fragment, payload: []))
      return
    }
    if isText, String(validating: message, as: UTF8.self) == nil {
      throw .failure(.invalidPayload)
    }
    items.append(Item(kind: isText ? .text : .binary, payload: message))
    (opened, message) = (nil, [])
  }
}

/// Whether there is a valid text that begins so: found by trying what a character may end in.
private func isBeginningOfText(_ bytes: [UInt8]) -> Bool {
  let ends: [[UInt8]] = [[], [0x80], [0x90], [0xA0], [0x80, 0x80], [0x90, 0x80], [0xA0, 0x80]]
  let more: [[UInt8]] = [[0x80, 0x80, 0x80], [0x90, 0x80, 0x80]]
  return (ends + more).contains { String(validating: bytes + $0, as: UTF8.self) != nil }
}
