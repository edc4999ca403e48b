// What has come of a frame or of a fragmented message whose end has not (RFC 6455 section 5.4).

final class PartialMessage {
  enum End {
    /// A frame of a message that goes on.
    case fragment
    case control(Opcode, [UInt8])
    case message(Opcode, [UInt8])
  }

  /// The frame whose payload is coming in.
  private(set) var frame: FrameHeader?
  /// How much of its payload has come.
  private var received = 0
  /// The beginning of a header.
  private var header: [UInt8] = []
  /// The payload of a control frame, which may stand between the fragments of a message.
  private var control: [UInt8] = []
  /// Text or binary while a message is open.
  private var opcode: Opcode?
  private var message: [UInt8] = []
  private var utf8 = UTF8Validator()

  var isEmpty: Bool { frame == nil && opcode == nil && header.isEmpty }

  /// Takes bytes until the header is whole, which `frame` shows, or there are no more of them.
  func takeHeader(
    _ bytes: Span<UInt8>, _ position: inout Int, _ limit: Int
  ) throws(WebSocketFailure) {
    var header = self.header
    self.header = []
    while position < bytes.count {
      header.append(bytes[position])
      position += 1
      // No frame of this message may be longer than what is left of the limit.
      if let whole = try FrameHeader.parse(header.span, limit: limit - message.count) {
        return try open(whole)
      }
    }
    self.header = header
  }

  private func open(_ header: FrameHeader) throws(WebSocketFailure) {
    switch header.opcode {
    case .continuation:
      guard opcode != nil else {
        throw WebSocketFailure(.protocolError, "continuation of nothing")
      }
    case .text, .binary:
      guard opcode == nil else {
        throw WebSocketFailure(.protocolError, "message within a message")
      }
      opcode = header.opcode
    case .close, .ping, .pong: break
    }
    frame = header
    received = 0
  }

  /// Takes as much of the payload as there is.
  /// - Returns: what the frame was the end of, or nil where it goes on.
  func takePayload(
    _ bytes: inout MutableSpan<UInt8>, _ position: inout Int
  ) throws(WebSocketFailure) -> End? {
    guard let frame else { return nil }
    let end = position + min(frame.length - received, bytes.count - position)
    Masking.unmask(&bytes, position..<end, key: frame.mask, offset: received)
    try keep(bytes.span.extracting(position..<end), of: frame)
    received += end - position
    position = end
    guard received == frame.length else { return nil }
    self.frame = nil
    return try close(frame)
  }

  private func keep(_ payload: Span<UInt8>, of frame: FrameHeader) throws(WebSocketFailure) {
    if frame.opcode.isControl {
      control.append(payload)
      return
    }
    if opcode == .text, !utf8.accept(payload) { throw Self.invalidText }
    message.append(payload)
  }

  private func close(_ frame: FrameHeader) throws(WebSocketFailure) -> End {
    if frame.opcode.isControl {
      defer { control = [] }
      return .control(frame.opcode, control)
    }
    guard frame.isFinal, let opcode else { return .fragment }
    guard opcode != .text || utf8.isComplete else { throw Self.invalidText }
    defer {
      self.opcode = nil
      message = []
    }
    return .message(opcode, message)
  }

  private static let invalidText = WebSocketFailure(.invalidPayload, "invalid UTF-8")
}

extension [UInt8] {
  fileprivate mutating func append(_ bytes: Span<UInt8>) {
    bytes.withUnsafeBufferPointer { append(contentsOf: $0) }
  }
}
