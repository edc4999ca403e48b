// Requests of our own (RFC 9112 section 3).

import HTTP
import Testing

@Suite struct RequestEncoderTests {
  private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  @Test func aPost() throws {
    let bytes = RequestEncoder.post(
      Array("body".utf8), to: try HTTPURL("https://[::1]:8443/x?y"),
      headers: [("Content-Type", "text/plain"), ("Webhook-Id", "1")])
    let lines = [
      "POST /x?y HTTP/1.1", "Host: [::1]:8443", "User-Agent: Chattrix-Calls",
      "Accept-Encoding: identity", "Content-Type: text/plain", "Webhook-Id: 1",
      "Content-Length: 4", "", "body",
    ]
    #expect(text(bytes) == lines.joined(separator: "\r\n"))
  }

  @Test func noValueAddsALineAndNoCallerSetsTheFraming() throws {
    let bytes = RequestEncoder.post(
      [], to: try HTTPURL("http://a"),
      headers: [
        ("X", "a\r\nContent-Length: 9\u{0}"), ("content-LENGTH", "9"), ("Host", "b"),
        ("Transfer-Encoding", "chunked"), ("connection", "close"), ("User-Agent", "x"),
      ])
    let lines = [
      "POST / HTTP/1.1", "Host: a", "User-Agent: Chattrix-Calls", "Accept-Encoding: identity",
      "X: a  Content-Length: 9 ", "Content-Length: 0", "", "",
    ]
    #expect(text(bytes) == lines.joined(separator: "\r\n"))
  }

  @Test("A GET has no body and says so by having no length (RFC 9110, 8.6)")
  func get() throws {
    let bytes = RequestEncoder.get(try HTTPURL("https://localhost:8443/readyz"))
    let lines = [
      "GET /readyz HTTP/1.1", "Host: localhost:8443", "User-Agent: Chattrix-Calls",
      "Accept-Encoding: identity", "", "",
    ]
    #expect(String(decoding: bytes, as: UTF8.self) == lines.joined(separator: "\r\n"))
  }
}
