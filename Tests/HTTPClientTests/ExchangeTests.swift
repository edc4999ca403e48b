// Exchanges with a real web server without TLS (contract §8.1, §8.2).

import Glibc
import HTTP
import HTTPClient
import System
import Testing

@Suite struct ExchangeTests {
  private let server = WebServer.plain
  private let client: HTTPClient

  init() throws { client = try Self.client() }

  private static func client(totalMilliseconds: Int? = nil) throws -> HTTPClient {
    var limits = HTTPExchangeLimits.patient
    if let totalMilliseconds { limits.totalMilliseconds = totalMilliseconds }
    return HTTPClient(trust: try TrustStore(caFile: nil), limits: limits)
  }

  private func post(_ path: String, _ body: String = "{}") throws -> HTTPClientResponse {
    try client.post(
      Array(body.utf8), to: server.url(path), headers: [("Content-Type", "application/json")])
  }

  private func text(_ response: HTTPClientResponse) -> String {
    String(decoding: response.body, as: UTF8.self)
  }

  @Test func aRequestArrivesAsItWasSent() throws {
    let response = try client.post(
      Array("{\"a\":1}".utf8), to: server.url("/echo?q=%20"),
      headers: [
        ("webhook-id", "msg_1"), ("X", "a\r\nInjected: b"), ("Content-Length", "9"), ("host", "x"),
      ])
    #expect(response.status == 200)
    #expect(
      text(response) == """
        POST /echo?q=%20 HTTP/1.1
        Host: 127.0.0.1:\(server.port)
        User-Agent: Chattrix-Calls
        Accept-Encoding: identity
        webhook-id: msg_1
        X: a  Injected: b
        Content-Length: 7

        {"a":1}
        """)
  }

  @Test("§8.2 every status comes back, a redirect as itself")
  func statuses() throws {
    let connection = try post("/ok").headers["X-Connection"]
    let redirect = try post("/redirect")
    #expect(redirect.status == 302 && redirect.headers["location"] == "/ok")
    #expect(try post("/gone").status == 410)
    let busy = try post("/busy")
    #expect(busy.status == 503 && busy.headers["Retry-After"] == "120")
    #expect(try post("/ok").headers["X-Connection"] == connection)
  }

  @Test func everyFramingOfABody() throws {
    let connection = try post("/ok").headers["X-Connection"]
    #expect(try post("/empty").body.isEmpty)
    #expect(try text(post("/chunked")) == "Wikipedia ")
    #expect(try text(post("/ok")) == "ok")
    #expect(try post("/ok").headers["X-Connection"] == connection)
    #expect(try text(post("/until-close")) == "to the end")
  }

  @Test func interimResponsesAreSkipped() throws {
    let response = try post("/interim")
    #expect(response.status == 200 && text(response) == "ok")
  }

  @Test func aBodyBeyondItsLimitLeavesTheStatus() throws {
    for (path, status) in [("/huge-body", 200), ("/huge-chunks", 200), ("/endless", 500)] {
      let connection = try post("/ok").headers["X-Connection"]
      let response = try post(path)
      #expect(response.status == status)
      #expect(response.body.isEmpty && response.bodyExceedsLimit)
      #expect(try post("/ok").headers["X-Connection"] != connection)
    }
  }

  @Test(arguments: [
    ("/garbage", HTTPClientError.malformedResponse("a status line")),
    ("/huge-head", .tooLarge), ("/endless-interim", .tooLarge),
    ("/cut-head", .connectionClosed), ("/cut-body", .connectionClosed),
    ("/cut-chunk", .connectionClosed), ("/nothing", .connectionClosed),
  ])
  func aBrokenResponseIsAnError(path: String, expected: HTTPClientError) throws {
    #expect(throws: expected) { try post(path) }
    #expect(try text(post("/ok")) == "ok")
  }

  @Test(
    "§8.2 the time of an exchange is limited, however the server spends it",
    arguments: ["/hang", "/dribble-head", "/dribble-body"])
  func timeIsLimited(path: String) throws {
    let client = try Self.client(totalMilliseconds: 600)
    let time = ContinuousClock().measure {
      #expect(throws: HTTPClientError.timedOut(.response)) {
        try client.post([], to: server.url(path), headers: [])
      }
    }
    #expect(time >= .milliseconds(599) && time < .seconds(60))
    #expect(try post("/ok").status == 200)
  }

  @Test func aServerThatAnswersBeforeItHasReadEverythingIsHeard() throws {
    let body = String(repeating: "x", count: 20_000_000)
    #expect(try post("/early", body).status == 413)
    #expect(try post("/ok").status == 200)
  }
}
