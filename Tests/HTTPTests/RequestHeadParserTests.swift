import HTTP
import Testing

@Suite struct RequestHeadParserTests {
  private static let plain =
    "GET /ws?lastEventId=7 HTTP/1.1\r\nHost: localhost\r\nUpgrade:websocket\r\nX: \t a b \t\r\n\r\n"

  /// What the parser says to a head that arrives in pieces of `size` bytes.
  private func parse(
    _ text: String, by size: Int = .max
  ) throws(RequestHeadError) -> (head: RequestHead, consumed: Int)? {
    var parser = RequestHeadParser()
    let bytes = Array(text.utf8)
    var position = 0
    while position < bytes.count {
      let end = min(bytes.count, position + min(size, bytes.count))
      if let done = try parser.feed(bytes.span.extracting(position..<end)) {
        return (done.head, position + done.consumed)
      }
      position = end
    }
    return nil
  }

  @Test(arguments: 1...140)
  func aHeadMayArriveInAnyPieces(size: Int) throws {
    let text = Self.plain + "\u{81}frames"
    let done = try #require(try parse(text, by: size))
    #expect(done.consumed == Self.plain.utf8.count)
    #expect(done.head.minorVersion == 1)
    let request = done.head.request
    #expect(request.method == .get)
    #expect(request.path == "/ws")
    #expect(request.query == "lastEventId=7")
    #expect(
      request.headers == ["Host": "localhost", "Upgrade": "websocket", "X": "a b"])
  }

  @Test func anUnfinishedHeadIsNoHead() throws {
    let bytes = Array(Self.plain.utf8)
    #expect(try parse(String(decoding: bytes.dropLast(), as: UTF8.self)) == nil)
  }

  @Test func pathAndQueryStayAsSent() throws {
    let request = try #require(
      try parse("DELETE /a%2Fb?x=%41?&y HTTP/1.0\r\n\r\n")
    ).head.request
    #expect(request.method == .delete)
    #expect(request.path == "/a%2Fb")
    #expect(request.query == "x=%41?&y")
  }

  @Test(arguments: [
    "GET / HTTP/1.1\nHost: a\n\n",  // bare LF
    "GET / HTTP/1.1\r\nHost: a\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n\n",
    "GET / HTTP/1.1\r\nHost: a\r\rX: b\r\n\r\n",  // bare CR
    "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n\tfolded\r\n\r\n",
    "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX: \u{7F}\r\n\r\n",
    "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /#f HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
    "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / \r\nHost: a\r\n\r\n",
    "GET /\r\n\r\n",
    "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET * HTTP/1.1\r\nHost: a\r\n\r\n",
    "G(T / HTTP/1.1\r\nHost: a\r\n\r\n",
    " / HTTP/1.1\r\nHost: a\r\n\r\n",
    "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / http/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\n\r\n",  // no Host
    "GET / HTTP/1.1\r\nHost: a\r\nHOST: a\r\n\r\n",
  ])
  func whatIsNotHTTPIsRefused(text: String) {
    #expect(throws: RequestHeadError.malformed) { try parse(text) }
    #expect(throws: RequestHeadError.malformed) { try parse(text, by: 1) }
  }

  @Test func fieldsMustBeUTF8() {
    var parser = RequestHeadParser()
    let bytes = Array("GET / HTTP/1.1\r\nX: ".utf8) + [0xFF, 0x0D, 0x0A]
    #expect(throws: RequestHeadError.malformed) { _ = try parser.feed(bytes.span) }
  }

  @Test(arguments: ["HTTP/2.0", "HTTP/0.9", "HTTP/1.2"])
  func otherVersionsAreNamedSo(version: String) {
    #expect(throws: RequestHeadError.unsupportedVersion) { try parse("GET / \(version)\r\n") }
  }

  @Test(arguments: ["Content-Length: 1", "Transfer-Encoding: chunked", "Content-Length: +0"])
  func bodiesAreRefused(field: String) {
    #expect(throws: RequestHeadError.bodyNotSupported) {
      try parse("GET / HTTP/1.1\r\nHost: a\r\n\(field)\r\n\r\n")
    }
  }

  @Test(arguments: [1, 7, .max])
  func sizeIsBounded(piece: Int) throws {
    let start = "GET / HTTP/1.1\r\nHost: a\r\nX: "
    let filling = RequestHeadParser.maximumBytes - start.utf8.count - 4
    let fits = start + String(repeating: "x", count: filling) + "\r\n\r\n"
    #expect(try parse(fits, by: piece)?.consumed == RequestHeadParser.maximumBytes)
    let over = start + String(repeating: "x", count: filling + 1) + "\r\n\r\n"
    #expect(throws: RequestHeadError.tooLarge) { try parse(over, by: piece) }
    let endless = String(repeating: "x", count: RequestHeadParser.maximumBytes + 1)
    #expect(throws: RequestHeadError.tooLarge) { try parse(endless, by: piece) }
  }

  @Test func theNumberOfFieldsIsBounded() throws {
    func head(_ count: Int) -> String {
      "GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "X: y\r\n", count: count - 1) + "\r\n"
    }
    #expect(try parse(head(RequestHeadParser.maximumFields)) != nil)
    #expect(throws: RequestHeadError.tooLarge) {
      try parse(head(RequestHeadParser.maximumFields + 1))
    }
  }

  /// Whatever bytes come, the parser answers with a head, an error or a wish for more.
  @Test func mutatedHeadsNeverTrap() {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<2000 {
      var bytes = Array(Self.plain.utf8)
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        bytes[Int.random(in: bytes.indices, using: &generator)] = .random(in: 0...255)
      }
      var parser = RequestHeadParser()
      let cut = Int.random(in: bytes.indices, using: &generator)
      _ = try? parser.feed(bytes.span.extracting(0..<cut))
    }
  }
}
