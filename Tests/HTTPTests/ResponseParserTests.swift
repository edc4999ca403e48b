// Responses to requests of our own: framing, limits, what is refused (RFC 9112 sections 4 to 9).

import HTTP
import Testing

@Suite struct ResponseParserTests {
  private enum Outcome: Equatable {
    case response(ReceivedResponse, consumed: Int)
    case incomplete
    case failure(ResponseError)
  }

  /// In one piece and byte by byte, which must be the same.
  private func parse(
    _ text: String, limits: ResponseLimits = ResponseLimits(),
    sourceLocation: SourceLocation = #_sourceLocation
  ) -> Outcome {
    let bytes = Array(text.replacing("\n", with: "\r\n").utf8)
    let whole = parse([bytes], limits)
    #expect(parse(bytes.map { [$0] }, limits) == whole, sourceLocation: sourceLocation)
    return whole
  }

  private func parse(_ pieces: [[UInt8]], _ limits: ResponseLimits) -> Outcome {
    var parser = ResponseParser(limits: limits)
    var before = 0
    do throws(ResponseError) {
      for piece in pieces {
        if let (response, consumed) = try parser.feed(piece.span) {
          return .response(response, consumed: before + consumed)
        }
        before += piece.count
      }
      return .incomplete
    } catch { return .failure(error) }
  }

  private func response(_ text: String, limits: ResponseLimits = ResponseLimits()) throws
    -> ReceivedResponse
  {
    guard case .response(let response, _) = parse(text, limits: limits) else {
      Issue.record("no response: \(parse(text, limits: limits))")
      throw CancellationError()
    }
    return response
  }

  private func body(_ text: String) throws -> String {
    String(decoding: try response(text).body, as: UTF8.self)
  }

  @Test func aResponseWithALength() throws {
    let text = "HTTP/1.1 200 OK\nContent-Type: text/plain\nContent-Length: 4\n\nbody"
    let response = try response(text)
    #expect(response.status == 200)
    #expect(response.headers == ["Content-Type": "text/plain", "Content-Length": "4"])
    #expect(response.body == Array("body".utf8))
    #expect(response.keepsConnection && !response.bodyExceedsLimit)
    guard case .response(response, let consumed) = parse(text + "HTTP/1.1") else {
      Issue.record("not the same with more bytes behind it")
      return
    }
    #expect(consumed == text.utf8.count + 4)
  }

  @Test(arguments: [
    ("4\nWiki\n5\npedia\n0\n\n", "Wikipedia"), ("0\n\n", ""), ("000\n\n", ""),
    ("A;name=value\n0123456789\n0\n\n", "0123456789"), ("a \t;x\n0123456789\n0\n\n", "0123456789"),
    ("1\nx\n0\nTrailer: y\nAnother: z\n\n", "x"), ("1 \nx\n0\n\n", "x"),
    ("00000000000001\nx\n0\n\n", "x"),
  ])
  func chunks(framed: String, expected: String) throws {
    #expect(try body("HTTP/1.1 200 OK\nTransfer-Encoding: Chunked\n\n" + framed) == expected)
  }

  @Test(arguments: [
    "x\n", "\n", ";x\n", "-1\n", "+1\n", "0x1\n", "1 2\n", "1\nxy\n0\n\n", "1\nx0\n\n",
    "FFFFFFFFFFFFFFFF\n", "10000000000000000\n", "1;\u{1}\n",
  ])
  func brokenChunks(framed: String) {
    guard
      case .failure(.malformed) = parse("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n" + framed)
    else {
      Issue.record("\(framed) is taken")
      return
    }
  }

  @Test func aBodyUntilTheEnd() throws {
    var parser = ResponseParser()
    let head = Array("HTTP/1.1 200 OK\r\n\r\nall of".utf8)
    #expect(try parser.feed(head.span) == nil)
    let rest = Array(" it".utf8)
    #expect(try parser.feed(rest.span) == nil)
    let response = try parser.endOfStream()
    #expect(String(decoding: response.body, as: UTF8.self) == "all of it")
    #expect(!response.keepsConnection)
  }

  @Test(arguments: [
    "", "HTTP/1.1 200 OK\n", "HTTP/1.1 200 OK\nContent-Length: 1\n\n", "HTTP/1.1 100 Continue\n\n",
    "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n1\nx\n0\n",
  ])
  func anEarlyEnd(text: String) throws {
    var parser = ResponseParser()
    let bytes = Array(text.replacing("\n", with: "\r\n").utf8)
    #expect(try parser.feed(bytes.span) == nil)
    #expect(throws: ResponseError.incomplete) { try parser.endOfStream() }
  }

  @Test("RFC 9112, 6.3: no body, whatever the fields say", arguments: [204, 304])
  func noBody(status: Int) throws {
    let response = try response("HTTP/1.1 \(status) X\nContent-Length: 5\n\nHTTP/")
    #expect(response.status == status && response.body.isEmpty && response.keepsConnection)
  }

  @Test func interimResponsesAreSkipped() throws {
    let response = try response(
      "HTTP/1.1 100 Continue\n\nHTTP/1.1 103 Early\nLink: x\n\nHTTP/1.1 202 A\nContent-Length: 0\n\n"
    )
    #expect(response.status == 202)
    #expect(response.headers == ["Content-Length": "0"])
    #expect(parse("HTTP/1.1 101 Switching\n\n") == .failure(.malformed("status 101")))
  }

  @Test(
    "RFC 9112, 9.3",
    arguments: [
      ("HTTP/1.1 200 OK\nContent-Length: 0\n\n", true),
      ("HTTP/1.1 200 OK\nContent-Length: 0\nConnection: keep-alive\n\n", true),
      ("HTTP/1.1 200 OK\nContent-Length: 0\nConnection: x, Close\n\n", false),
      ("HTTP/1.0 200 OK\nContent-Length: 0\n\n", false),
      ("HTTP/1.0 200 OK\nContent-Length: 0\nConnection: keep-alive\n\n", false),
      ("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n0\n\n", true),
      ("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nContent-Length: 5\n\n0\n\n", false),
    ])
  func keepingTheConnection(text: String, expected: Bool) throws {
    #expect(try response(text).keepsConnection == expected)
  }

  @Test func whatIsReadFreely() throws {
    #expect(try response("HTTP/1.1 200\nContent-Length: 0\n\n").status == 200)
    #expect(try response("HTTP/1.1 200 \nContent-Length: 0\n\n").status == 200)
    #expect(try response("HTTP/1.9 599 x\nContent-Length:0\n\n").status == 599)
    #expect(try body("HTTP/1.1 200 OK\nContent-Length: 1, 1\nContent-Length: 1\n\nx") == "x")
    let folded = try response("HTTP/1.1 200 OK\nX: a\n  b\n\t\nContent-Length: 0\n\n")
    #expect(folded.headers["X"] == "a b")
    var latin = Array("HTTP/1.1 200 Fran".utf8) + [0xE7]
    latin += Array("ais\r\nX: ".utf8) + [0xE9] + Array("\r\nContent-Length: 0\r\n\r\n".utf8)
    guard case .response(let response, _) = parse([latin], ResponseLimits()) else {
      Issue.record("ISO 8859-1 is refused")
      return
    }
    #expect(response.headers["X"] == "\u{FFFD}")
  }

  @Test(arguments: [
    "\n", "HTTP/1.1\n", "HTTP/1.1 20\n", "HTTP/1.1 2000\n", "HTTP/1.1 099 x\n", "HTTP/2.0 200 OK\n",
    "http/1.1 200 OK\n", "HTTP/1.1  200 OK\n", "HTTP/1.x 200 OK\n", "HTTP/1.1 200 O\u{0}K\n",
    "SSH-2.0-OpenSSH_9.2p1\n", "HTTP/1.1 200 OK\n folded: x\n", "HTTP/1.1 200 OK\nX : y\n",
    "HTTP/1.1 200 OK\nno colon\n", "HTTP/1.1 200 OK\nX: \u{1}\n", "HTTP/1.1 200 OK\n: x\n",
    "HTTP/1.1 200 OK\nContent-Length: 1, 2\n\n", "HTTP/1.1 200 OK\nContent-Length: -1\n\n",
    "HTTP/1.1 200 OK\nContent-Length: +1\n\n", "HTTP/1.1 200 OK\nContent-Length: 1x\n\n",
    "HTTP/1.1 200 OK\nContent-Length:\n\n", "HTTP/1.1 200 OK\nContent-Length: 1 1\n\n",
    "HTTP/1.1 200 OK\nTransfer-Encoding: gzip, chunked\n\n",
    "HTTP/1.1 200 OK\nTransfer-Encoding: gzip\n\n", "HTTP/1.1 200 OK\nTransfer-Encoding:\n\n",
    "HTTP/1.0 200 OK\nTransfer-Encoding: chunked\n\n",
  ])
  func refused(text: String) {
    guard case .failure(.malformed) = parse(text) else {
      Issue.record("\(parse(text))")
      return
    }
  }

  @Test func everyLineEndsInCRLF() {
    for text in ["HTTP/1.1 200 OK\n", "HTTP/1.1 200 OK\r\nX: y\n", "HTTP/1.1 200 OK\r\rX: y\r\n"] {
      guard case .failure(.malformed) = parse([Array(text.utf8)], ResponseLimits()) else {
        Issue.record("\(text) is taken")
        return
      }
    }
  }
}

/// Each limit: just within it, and one more.
extension ResponseParserTests {
  private func limits(head: Int = 100, fields: Int = 3, body: Int = 10) -> ResponseLimits {
    var limits = ResponseLimits()
    (limits.headBytes, limits.fields, limits.bodyBytes) = (head, fields, body)
    limits.chunkLineBytes = 8
    return limits
  }

  @Test func heads() throws {
    let start = "HTTP/1.1 204 x\nX: "
    let room = 100 - start.utf8.count - 1 - 4
    let fits = start + String(repeating: "x", count: room) + "\n\n"
    #expect(try response(fits, limits: limits()).status == 204)
    let exceeds = start + String(repeating: "x", count: room + 1) + "\n\n"
    #expect(parse(exceeds, limits: limits()) == .failure(.headTooLarge))
    let interim = String(repeating: "HTTP/1.1 100 x\n\n", count: 6)
    #expect(parse(interim, limits: limits()) == .failure(.headTooLarge))
    #expect(
      parse("HTTP/1.1 204 x\n" + String(repeating: "X:y\n", count: 4), limits: limits())
        == .failure(.headTooLarge))
    let chunked = "HTTP/1.1 200 x\nTransfer-Encoding: chunked\n\n0\n"
    #expect(
      parse(chunked + String(repeating: "X:y\n", count: 20), limits: limits())
        == .failure(.headTooLarge))
  }

  @Test(arguments: [
    ("Content-Length: 10\n\n0123456789", false), ("Content-Length: 11\n\n", true),
    ("Content-Length: 99999999999999999999999999\n\n", true),
    ("Transfer-Encoding: chunked\n\nA\n0123456789\n0\n\n", false),
    ("Transfer-Encoding: chunked\n\nB\n", true),
    ("Transfer-Encoding: chunked\n\n9\n012345678\n2\n", true),
    ("Transfer-Encoding: chunked\n\nFFFFFF\n", true), ("\n01234567890", true),
  ])
  func bodies(rest: String, exceeds: Bool) throws {
    let response = try response("HTTP/1.1 200 x\n" + rest, limits: limits())
    #expect(response.status == 200 && response.bodyExceedsLimit == exceeds)
    #expect(response.body.isEmpty == exceeds && response.keepsConnection == !exceeds)
  }

  @Test func chunkLines() throws {
    let head = "HTTP/1.1 200 x\nTransfer-Encoding: chunked\n\n"
    #expect(try response(head + "1;2345\nx\n0\n\n", limits: limits()).body.count == 1)
    guard case .failure(.malformed) = parse(head + "1;23456\nx\n0\n\n", limits: limits()) else {
      Issue.record("a long line is taken")
      return
    }
  }
}
