import HTTP
import Testing

@Suite struct HTTPResponseTests {
  private func text(_ response: HTTPResponse) -> String {
    String(decoding: response.serialized(), as: UTF8.self)
  }

  @Test func aResponseIsWrittenInOrderWithItsLength() {
    var response = HTTPResponse.json(Array(#"{"a":1}"#.utf8), status: 401)
    response.headers["WWW-Authenticate"] = "Bearer"
    response.headers["content-length"] = "999"
    #expect(
      text(response) == """
        HTTP/1.1 401 Unauthorized\r
        Content-Type: application/json\r
        WWW-Authenticate: Bearer\r
        Content-Length: 7\r
        \r
        {"a":1}
        """)
  }

  @Test func switchingProtocolsHasNoLength() {
    #expect(
      text(HTTPResponse(status: 101, headers: ["Upgrade": "websocket"]))
        == "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n")
  }

  @Test func noValueCanEndItsLine() {
    #expect(
      text(HTTPResponse(status: 204, headers: ["X": "a\r\nY: b"]))
        == "HTTP/1.1 204 No Content\r\nX: a  Y: b\r\n\r\n")
  }
}
