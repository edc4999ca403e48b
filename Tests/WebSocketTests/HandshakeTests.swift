import HTTP
import Testing
import WebSocket

@Suite struct HandshakeTests {
  private static let lines = [
    "GET /chat HTTP/1.1", "Host: server.example.com", "Upgrade: websocket", "Connection: Upgrade",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13",
  ]

  /// The request with the line that begins with `old` replaced, or left out.
  private func head(replacing old: String? = nil, by new: String? = nil) throws -> RequestHead {
    let lines = Self.lines.compactMap { line in
      old.map { line.hasPrefix($0) } == true ? new : line
    }
    let bytes = Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    var parser = RequestHeadParser()
    return try #require(try parser.feed(bytes.span)).head
  }

  /// The example of RFC 6455, 1.3.
  @Test func aGoodRequestIsAccepted() throws {
    let handshake = try Handshake(try head())
    #expect(handshake.subprotocols.isEmpty)
    #expect(
      handshake.response()
        == HTTPResponse(
          status: 101,
          headers: [
            "Upgrade": "websocket", "Connection": "Upgrade",
            "Sec-WebSocket-Accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
          ]))
  }

  @Test(arguments: [
    ("Upgrade", "Upgrade: h2c, WebSocket"), ("Connection", "Connection: keep-alive, upgrade"),
    ("Sec-WebSocket-Version", "sec-websocket-version:13"),
  ])
  func namesAndListsAreReadAsHTTPHasThem(old: String, new: String) throws {
    _ = try Handshake(try head(replacing: old, by: new))
  }

  @Test(
    arguments: [
      ("GET", "POST /chat HTTP/1.1", .notGET), ("GET", "GET /chat HTTP/1.0", .notHTTP11),
      ("Upgrade", nil, .noUpgrade), ("Upgrade", "Upgrade: websockets", .noUpgrade),
      ("Connection", nil, .noConnectionUpgrade),
      ("Connection", "Connection: close", .noConnectionUpgrade),
      ("Sec-WebSocket-Version", nil, .unsupportedVersion),
      ("Sec-WebSocket-Version", "Sec-WebSocket-Version: 8", .unsupportedVersion),
      ("Sec-WebSocket-Version", "Sec-WebSocket-Version: 13, 8", .unsupportedVersion),
      ("Sec-WebSocket-Key", nil, .badKey), ("Sec-WebSocket-Key", "Sec-WebSocket-Key: ", .badKey),
      ("Sec-WebSocket-Key", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ", .badKey),
      ("Sec-WebSocket-Key", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j", .badKey),
      ("Sec-WebSocket-Key", "Sec-WebSocket-Key: ************************", .badKey),
      (
        "Sec-WebSocket-Key",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        .badKey
      ),
      (
        "Sec-WebSocket-Version", "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: a b",
        .badSubprotocols
      ),
    ] as [(String, String?, HandshakeFailure)])
  func everyRuleIsChecked(old: String, new: String?, failure: HandshakeFailure) throws {
    let head = try head(replacing: old, by: new)
    #expect(throws: failure) { try Handshake(head) }
  }

  @Test func failuresSayWhatToDoInstead() {
    #expect(HandshakeFailure.unsupportedVersion.status == 426)
    #expect(HandshakeFailure.unsupportedVersion.headers["Sec-WebSocket-Version"] == "13")
    #expect(HandshakeFailure.noUpgrade.status == 426)
    #expect(HandshakeFailure.noUpgrade.headers["Upgrade"] == "websocket")
    #expect(HandshakeFailure.notGET.headers["Allow"] == "GET")
    #expect(HandshakeFailure.badKey.status == 400)
    #expect(HandshakeFailure.allCases.allSatisfy { !$0.message.isEmpty })
  }

  @Test func aSubprotocolIsSelectedFromWhatIsOffered() throws {
    let handshake = try Handshake(
      try head(
        replacing: "Sec-WebSocket-Version",
        by: "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: chattrix.v1, bearer.e30.e30.x-_"))
    #expect(handshake.subprotocols == ["chattrix.v1", "bearer.e30.e30.x-_"])
    #expect(
      handshake.response(subprotocol: "chattrix.v1").headers["Sec-WebSocket-Protocol"]
        == "chattrix.v1")
  }
}
