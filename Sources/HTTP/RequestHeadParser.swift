// The head of an HTTP/1.1 request, RFC 9112 sections 2–5: bytes in, a ``RequestHead`` out, no I/O.
//
// Strict where leniency lets two parsers see two requests: lines end in CRLF and nothing else, no
// folding, no white space before a colon, no NUL, one Host, origin-form targets only, no body.
// Only the part of a line that has arrived is kept, and every length is checked before that.

package struct RequestHeadParser {
  /// The whole head, with its last CRLF CRLF: the longest JWT that is verified at all (8 KiB), and as
  /// much again for everything else.
  package static let maximumBytes = 16_384
  package static let maximumFields = 64

  /// The beginning of a line whose end has not arrived.
  private var partialLine: [UInt8] = []
  private var byteCount = 0
  private var head: RequestHead?

  package init() {}

  /// Takes the next bytes of the stream.
  /// - Returns: the head and how many of `bytes` belong to it, or nil where more are needed.
  /// - Throws: ``RequestHeadError``; the parser is of no use afterwards.
  package mutating func feed(
    _ bytes: Span<UInt8>
  ) throws(RequestHeadError) -> (head: RequestHead, consumed: Int)? {
    var start = 0
    for index in bytes.indices where bytes[index] == UInt8(ascii: "\n") {
      let line = bytes.extracting(start...index)
      start = index + 1
      try count(line.count)
      if partialLine.isEmpty {
        if let head = try take(line: line) { return (head, start) }
      } else {
        append(line)
        let whole = partialLine
        partialLine = []
        if let head = try take(line: whole.span) { return (head, start) }
      }
    }
    let rest = bytes.extracting(start..<bytes.count)
    try count(rest.count)
    append(rest)
    return nil
  }

  private mutating func count(_ more: Int) throws(RequestHeadError) {
    byteCount += more
    if byteCount > Self.maximumBytes { throw .tooLarge }
  }

  private mutating func append(_ bytes: Span<UInt8>) {
    for index in bytes.indices { partialLine.append(bytes[index]) }
  }

  /// - Parameter line: with its LF.
  /// - Returns: the head once this was the empty line at its end.
  private mutating func take(line: Span<UInt8>) throws(RequestHeadError) -> RequestHead? {
    let count = line.count
    guard count >= 2, line[count - 2] == UInt8(ascii: "\r") else { throw .malformed }
    let text = line.extracting(0..<count - 2)
    guard var head else {
      head = try Self.requestLine(text)
      return nil
    }
    if text.isEmpty { return try Self.checked(head) }
    guard head.request.headers.count < Self.maximumFields else { throw .tooLarge }
    self.head = nil  // so that the array of fields is not copied when it grows
    try Self.field(text, into: &head.request.headers)
    self.head = head
    return nil
  }

  /// `method SP request-target SP HTTP-version` (RFC 9112, 3).
  private static func requestLine(_ line: Span<UInt8>) throws(RequestHeadError) -> RequestHead {
    var spaces: [Int] = []
    for index in line.indices {
      switch line[index] {
      case UInt8(ascii: " "):
        guard spaces.count < 2 else { throw .malformed }
        spaces.append(index)
      case 0x21...0x7E where line[index] != UInt8(ascii: "#"): break
      default: throw .malformed
      }
    }
    guard spaces.count == 2 else { throw .malformed }
    let method = try text(line, 0..<spaces[0])
    let target = try text(line, spaces[0] + 1..<spaces[1])
    let version = try text(line, spaces[1] + 1..<line.count)
    guard HTTPText.isToken(method.utf8), target.utf8.first == UInt8(ascii: "/") else {
      throw .malformed
    }
    let question = target.utf8.firstIndex(of: UInt8(ascii: "?"))
    let path = String(target[..<(question ?? target.endIndex)])
    let query = question.map { String(target[target.utf8.index(after: $0)...]) } ?? ""
    return RequestHead(
      request: HTTPRequest(method: HTTPMethod(method), path: path, query: query),
      minorVersion: try minorVersion(version))
  }

  private static func minorVersion(_ version: String) throws(RequestHeadError) -> Int {
    switch version {
    case "HTTP/1.1": return 1
    case "HTTP/1.0": return 0
    default:
      if version.utf8.count == 8, version.hasPrefix("HTTP/") { throw .unsupportedVersion }
      throw .malformed
    }
  }

  private static func field(
    _ line: Span<UInt8>, into headers: inout HTTPHeaders
  ) throws(RequestHeadError) {
    guard let (name, value) = FieldLine.ranges(in: line) else { throw .malformed }
    headers.append(try text(line, name), try text(line, value))
  }

  private static func text(
    _ bytes: Span<UInt8>, _ range: Range<Int>
  ) throws(RequestHeadError) -> String {
    guard let text = try? UTF8Span(validating: bytes.extracting(range)) else { throw .malformed }
    return String(copying: text)
  }

  /// What holds for the head as a whole (RFC 9112, 3.2 and 6).
  private static func checked(_ head: RequestHead) throws(RequestHeadError) -> RequestHead {
    let headers = head.request.headers
    let hosts = headers.values("Host")
    guard hosts.count == 1 || hosts.isEmpty && head.minorVersion == 0 else { throw .malformed }
    guard headers["Transfer-Encoding"] == nil,
      headers.values("Content-Length").allSatisfy({ $0 == "0" })
    else { throw .bodyNotSupported }
    return head
  }
}
