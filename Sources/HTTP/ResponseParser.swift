// A response to a request of our own, RFC 9112 sections 4 to 7: bytes in, a ``ReceivedResponse`` out, no I/O.
//
// Lines end in CRLF and nothing else. Every length is checked as soon as it is known, before anything of
// that length is waited for or stored. A body beyond its limit ends the response there and then: what the
// caller acts on is the status.

package struct ResponseParser {
  private enum State {
    case statusLine
    case fieldLines
    /// A body of a known length, of which as many bytes have not arrived (RFC 9112, 6.2).
    case content(missing: Int)
    /// A body in chunks (RFC 9112, 7.1): a chunk's line, its bytes, the CRLF behind them, the trailer.
    case chunkLine
    case chunk(missing: Int)
    case chunkEnd
    case trailer
    /// A body that ends with the connection.
    case untilClose
    case finished
  }

  private let limits: ResponseLimits
  private var state = State.statusLine
  private var response = ReceivedResponse()
  /// The line that is arriving.
  private var line: [UInt8] = []
  private var headBytes = 0
  private var minorVersion: UInt8 = 0

  package init(limits: ResponseLimits = ResponseLimits()) { self.limits = limits }

  /// Takes the next bytes of the stream.
  /// - Returns: The response and how many of `bytes` belong to it, or nil where more are needed.
  /// - Throws: ``ResponseError``; the parser is of no use after that, nor after a response.
  package mutating func feed(
    _ bytes: Span<UInt8>
  ) throws(ResponseError) -> (response: ReceivedResponse, consumed: Int)? {
    var position = 0
    while position < bytes.count {
      switch state {
      case .content(let missing):
        let rest = missing - take(missing, of: bytes, at: &position)
        state = rest > 0 ? .content(missing: rest) : .finished
      case .chunk(let missing):
        let rest = missing - take(missing, of: bytes, at: &position)
        state = rest > 0 ? .chunk(missing: rest) : .chunkEnd
      case .untilClose:
        _ = take(limits.bodyBytes - response.body.count, of: bytes, at: &position)
        if position < bytes.count {
          position += 1
          exceedLimit()
        }
      case .statusLine, .fieldLines, .chunkLine, .chunkEnd, .trailer:
        guard try takeLine(of: bytes, at: &position) else { return nil }
        try act()
        line.removeAll(keepingCapacity: true)
      case .finished: preconditionFailure("fed after the response was whole")
      }
      if case .finished = state { return (response, position) }
    }
    return nil
  }

  /// Takes the end of the stream.
  /// - Returns: The response where its body is one that ends with the connection.
  /// - Throws: `.incomplete` anywhere else.
  package mutating func endOfStream() throws(ResponseError) -> ReceivedResponse {
    guard case .untilClose = state else { throw .incomplete }
    state = .finished
    return response
  }

  /// Moves up to `count` bytes into the body.
  private mutating func take(_ count: Int, of bytes: Span<UInt8>, at position: inout Int) -> Int {
    let part = bytes.extracting(position..<position + min(count, bytes.count - position))
    for index in part.indices { response.body.append(part[index]) }
    position += part.count
    return part.count
  }

  /// Moves bytes into the line up to its end.
  /// - Returns: Whether the line is whole; its CRLF is gone then.
  private mutating func takeLine(
    of bytes: Span<UInt8>, at position: inout Int
  ) throws(ResponseError) -> Bool {
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      try count()
      guard byte == UInt8(ascii: "\n") else {
        line.append(byte)
        continue
      }
      guard line.last == UInt8(ascii: "\r") else { throw .malformed("a line without CR") }
      line.removeLast()
      return true
    }
    return false
  }

  private mutating func count() throws(ResponseError) {
    switch state {
    case .chunkLine, .chunkEnd:
      guard line.count < limits.chunkLineBytes else { throw .malformed("a chunk's line too long") }
    default:
      headBytes += 1
      if headBytes > limits.headBytes { throw .headTooLarge }
    }
  }

  private mutating func act() throws(ResponseError) {
    switch state {
    case .statusLine:
      try readStatusLine()
      state = .fieldLines
    case .fieldLines:
      if line.isEmpty { try beginBody() } else { try readField() }
    case .chunkLine:
      guard let size = Self.chunkSize(line.span) else { throw .malformed("a chunk's size") }
      if size > limits.bodyBytes - response.body.count {
        exceedLimit()
      } else {
        state = size > 0 ? .chunk(missing: size) : .trailer
      }
    case .chunkEnd:
      guard line.isEmpty else { throw .malformed("a chunk longer than its size") }
      state = .chunkLine
    case .trailer:
      if line.isEmpty { state = .finished }
    case .content, .chunk, .untilClose, .finished: break
    }
  }

  private mutating func exceedLimit() {
    response.body = []
    response.bodyExceedsLimit = true
    response.keepsConnection = false
    state = .finished
  }
}

// The head.
extension ResponseParser {
  /// `HTTP-version SP status-code [SP reason-phrase]` (RFC 9112, 4).
  private mutating func readStatusLine() throws(ResponseError) {
    guard line.count >= 12, line.starts(with: "HTTP/1.".utf8), Self.isDigit(line[7]),
      line[8] == UInt8(ascii: " "), line[9..<12].allSatisfy(Self.isDigit), line[9] != 48,
      line.count == 12 || line[12] == UInt8(ascii: " "),
      line[12...].allSatisfy(HTTPText.isFieldCharacter)
    else { throw .malformed("a status line") }
    minorVersion = line[7] - 48
    response.status = line[9..<12].reduce(0) { $0 * 10 + Int($1 - 48) }
  }

  private mutating func readField() throws(ResponseError) {
    guard response.headers.count < limits.fields else { throw .headTooLarge }
    if FieldLine.isWhiteSpace(line[0]) {
      guard let more = FieldLine.value(in: line.span, from: 0),
        response.headers.unfold(text(more))
      else { throw .malformed("a field") }
      return
    }
    guard let (name, value) = FieldLine.ranges(in: line.span) else { throw .malformed("a field") }
    response.headers.append(text(name), text(value))
  }

  /// Bytes that are not UTF-8 (ISO 8859-1, RFC 9110, 5.5) become U+FFFD: nothing that we read has any.
  private func text(_ range: Range<Int>) -> String { String(decoding: line[range], as: UTF8.self) }

  /// What follows the head (RFC 9112, 6.3).
  private mutating func beginBody() throws(ResponseError) {
    if (100...199).contains(response.status) {
      // A connection that becomes another protocol's is what no request asks for.
      guard response.status != 101 else { throw .malformed("status 101") }
      response.headers = HTTPHeaders()
      state = .statusLine
      return
    }
    response.keepsConnection = keepsConnection
    if response.status == 204 || response.status == 304 {
      state = .finished
    } else if response.headers["Transfer-Encoding"] != nil {
      try checkTransferCoding()
      state = .chunkLine
    } else if let length = try contentLength() {
      if length > limits.bodyBytes {
        exceedLimit()
      } else {
        state = length > 0 ? .content(missing: length) : .finished
      }
    } else {
      response.keepsConnection = false
      state = .untilClose
    }
  }

  private var keepsConnection: Bool {
    minorVersion > 0
      && !response.headers.list("Connection").contains {
        HTTPText.equalIgnoringCase($0, "close")
      }
  }

  /// Chunks alone: the request has no TE, so no other coding may be used (RFC 9112, 6.1 and 7.4). With a
  /// length beside it the connection is not used again (RFC 9112, 6.3, point 3).
  private mutating func checkTransferCoding() throws(ResponseError) {
    let codings = response.headers.list("Transfer-Encoding")
    guard minorVersion > 0, codings.count == 1, HTTPText.equalIgnoringCase(codings[0], "chunked")
    else { throw .malformed("a transfer coding") }
    if response.headers["Content-Length"] != nil { response.keepsConnection = false }
  }

  /// One number, however often it is said (RFC 9110, 8.6); nil without the field.
  private func contentLength() throws(ResponseError) -> Int? {
    guard response.headers["Content-Length"] != nil else { return nil }
    let lengths = response.headers.list("Content-Length")
    guard let first = lengths.first, lengths.allSatisfy({ $0 == first }),
      first.utf8.allSatisfy(Self.isDigit)
    else { throw .malformed("a content length") }
    return Int(first) ?? Int.max
  }

  /// `1*HEXDIG [chunk-ext]` (RFC 9112, 7.1); extensions are skipped.
  private static func chunkSize(_ line: Span<UInt8>) -> Int? {
    var size = 0
    var index = 0
    while index < line.count, let digit = hexadecimal(line[index]) {
      guard index < 15 else { return nil }
      size = size << 4 | digit
      index += 1
    }
    guard index > 0 else { return nil }
    guard let rest = FieldLine.value(in: line, from: index) else { return nil }
    return rest.isEmpty || line[rest.lowerBound] == UInt8(ascii: ";") ? size : nil
  }

  private static func hexadecimal(_ byte: UInt8) -> Int? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): Int(byte - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): Int(byte - UInt8(ascii: "A") + 10)
    default: nil
    }
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
}
