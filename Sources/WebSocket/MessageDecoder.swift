// Messages out of a client's stream of bytes, RFC 6455 sections 5–8, without I/O.
//
// The bytes stay where they were read: frames are unmasked in place and a message that is whole is
// handed on from there. Only a frame or a message whose end has not come is copied, to a
// ``PartialMessage`` that goes when it is done, so an idle connection's decoder is one pointer.

package enum Received: Sendable, Equatable {
  case text, binary
  /// A data frame of a message that goes on; its payload is handed on with the whole message.
  case fragment
  case ping, pong
  /// The peer closes, with its code where it gave one; the payload is the reason.
  case close(CloseCode?)
}

package struct MessageDecoder {
  private var partial: PartialMessage?

  package init() {}

  /// Whether everything that came has been handed on.
  package var isIdle: Bool { partial == nil }

  /// Takes the next bytes of the stream and unmasks them in place.
  /// - Parameters:
  ///   - limit: the longest message, in bytes, over all its frames; checked against each frame's
  ///     header before anything of its payload is kept.
  ///   - receive: called for each message and control frame with its payload; says whether to go
  ///     on. Nothing is read behind a Close frame.
  /// - Throws: the Close frame to answer with; the stream is of no use afterwards.
  package mutating func decode(
    _ bytes: inout MutableSpan<UInt8>, limit: Int,
    _ receive: (Received, Span<UInt8>) -> Bool
  ) throws(WebSocketFailure) {
    var position = 0
    while position < bytes.count {
      let goesOn =
        if let partial {
          try resume(partial, &bytes, &position, limit, receive)
        } else {
          try begin(&bytes, &position, limit, receive)
        }
      guard goesOn else { return }
    }
  }

  /// Where nothing is pending: a whole frame is handed on from where it stands.
  private mutating func begin(
    _ bytes: inout MutableSpan<UInt8>, _ position: inout Int, _ limit: Int,
    _ receive: (Received, Span<UInt8>) -> Bool
  ) throws(WebSocketFailure) -> Bool {
    guard
      let header = try FrameHeader.parse(
        bytes.span.extracting(position..<bytes.count), limit: limit)
    else {
      partial = PartialMessage()
      return true
    }
    let start = position + header.byteCount
    let isWhole = header.length <= bytes.count - start
    guard isWhole, header.isFinal, header.opcode != .continuation else {
      partial = PartialMessage()
      return true
    }
    position = start + header.length
    Masking.unmask(&bytes, start..<position, key: header.mask)
    return try Self.deliver(header.opcode, bytes.span.extracting(start..<position), receive)
  }

  private mutating func resume(
    _ partial: PartialMessage, _ bytes: inout MutableSpan<UInt8>, _ position: inout Int,
    _ limit: Int, _ receive: (Received, Span<UInt8>) -> Bool
  ) throws(WebSocketFailure) -> Bool {
    if partial.frame == nil {
      try partial.takeHeader(bytes.span, &position, limit)
      if partial.frame == nil { return true }
    }
    guard let end = try partial.takePayload(&bytes, &position) else { return true }
    if partial.isEmpty { self.partial = nil }
    switch end {
    case .fragment: return receive(.fragment, Span())
    case .control(let opcode, let payload):
      return try Self.deliver(opcode, payload.span, receive)
    case .message(let opcode, let payload):
      return receive(opcode == .text ? .text : .binary, payload.span)
    }
  }

  private static func deliver(
    _ opcode: Opcode, _ payload: Span<UInt8>, _ receive: (Received, Span<UInt8>) -> Bool
  ) throws(WebSocketFailure) -> Bool {
    switch opcode {
    case .text:
      try check(utf8: payload)
      return receive(.text, payload)
    case .binary: return receive(.binary, payload)
    case .ping: return receive(.ping, payload)
    case .pong: return receive(.pong, payload)
    case .continuation: return receive(.fragment, payload)
    case .close:
      let code = try closeCode(payload)
      _ = receive(.close(code), payload.extracting(min(2, payload.count)..<payload.count))
      return false
    }
  }

  /// RFC 6455, 5.5.1 and 7.4: no body, or a code that may be sent and a reason in UTF-8.
  private static func closeCode(
    _ payload: Span<UInt8>
  ) throws(WebSocketFailure) -> CloseCode? {
    if payload.isEmpty { return nil }
    guard payload.count >= 2 else { throw WebSocketFailure(.protocolError, "half a close code") }
    let code = CloseCode(UInt16(payload[0]) << 8 | UInt16(payload[1]))
    guard code.isValidOnTheWire else {
      throw WebSocketFailure(.protocolError, "invalid close code")
    }
    try check(utf8: payload.extracting(2..<payload.count))
    return code
  }

  private static func check(utf8 bytes: Span<UInt8>) throws(WebSocketFailure) {
    var validator = UTF8Validator()
    guard validator.accept(bytes), validator.isComplete else {
      throw WebSocketFailure(.invalidPayload, "invalid UTF-8")
    }
  }
}
