// Which exchanges share a connection (RFC 9112 section 9.3), and what happens when it is gone; each with and
// without TLS.

import Glibc
import HTTP
import HTTPClient
import Testing

@Suite struct KeptConnectionTests {
  private struct Peers {
    let server: WebServer
    let client: HTTPClient

    init(isSecure: Bool, _ limits: HTTPExchangeLimits = .init()) throws {
      let certificates = Certificates.shared
      server = try WebServer(isSecure ? certificates.good : nil)
      client = HTTPClient(trust: try TrustStore(caFile: certificates.authority), limits: limits)
    }

    func post(_ path: String, host: String = "127.0.0.1") throws -> HTTPClientResponse {
      try client.post([1, 2, 3], to: server.url(path, host: host), headers: [])
    }

    /// How many connections the server has accepted.
    func accepts(after path: String = "/ok", host: String = "127.0.0.1") throws -> String? {
      try post(path, host: host).headers["X-Accepts"]
    }
  }

  @Test(arguments: [false, true]) func exchangesShareAConnection(isSecure: Bool) throws {
    let peers = try Peers(isSecure: isSecure)
    for _ in 0..<20 { #expect(try peers.accepts() == "1") }
    #expect(try peers.post("/ok").headers["X-Requests"] == "21")
  }

  @Test(arguments: [false, true]) func notWhereTheServerSaysOtherwise(isSecure: Bool) throws {
    let peers = try Peers(isSecure: isSecure)
    #expect(try peers.accepts(after: "/says-close") == "1")
    #expect(try peers.accepts() == "2")
  }

  @Test(arguments: [false, true]) func anotherOriginGetsItsOwn(isSecure: Bool) throws {
    let peers = try Peers(isSecure: isSecure)
    #expect(try peers.accepts() == "1")
    #expect(try peers.accepts(host: "localhost") == "2")
  }

  @Test(arguments: [false, true]) func notAfterItHasBeenIdleForTooLong(isSecure: Bool) throws {
    let peers = try Peers(isSecure: isSecure, HTTPExchangeLimits(idleMilliseconds: 0))
    #expect(try peers.accepts() == "1")
    #expect(try peers.accepts() == "2")
  }

  @Test(arguments: [false, true]) func aConnectionThatWasClosedIsNoticed(isSecure: Bool) throws {
    let peers = try Peers(isSecure: isSecure)
    #expect(try peers.accepts(after: "/closes") == "1")
    // Whether the close has come by now or comes while the next request is sent, it goes well.
    let next = try peers.post("/ok")
    #expect(next.headers["X-Accepts"] == "2")
    #expect(next.headers["X-Requests"] == "2")
  }

  @Test(arguments: [false, true]) func aRequestThatGotNoAnswerIsSentAgain(isSecure: Bool) throws {
    let peers = try Peers(isSecure: isSecure)
    #expect(try peers.accepts(after: "/last") == "1")
    #expect(try peers.accepts() == "2")
  }

  @Test(arguments: [false, true])
  func butNotAfterThePartOfAnAnswerNorOnANewConnection(isSecure: Bool) throws {
    let peers = try Peers(isSecure: isSecure)
    for path in ["/cut-head", "/nothing"] {
      _ = try peers.post("/ok")
      #expect(throws: HTTPClientError.connectionClosed) { try peers.post("/cut-head") }
      #expect(throws: HTTPClientError.connectionClosed) { try peers.post(path) }
    }
    #expect(try peers.post("/ok").headers["X-Requests"] == "7")
  }

  @Test(arguments: [false, true]) func bytesThatNobodyAskedForEndIt(isSecure: Bool) throws {
    let peers = try Peers(isSecure: isSecure)
    #expect(try peers.post("/two").status == 200)
    #expect(try peers.accepts() == "2")
  }

  @Test(arguments: [false, true]) func aServerIsRestartedBetweenTwoRequests(isSecure: Bool) throws {
    let peers = try Peers(isSecure: isSecure)
    #expect(try peers.post("/ok").status == 200)
    peers.server.stop()
    #expect(throws: HTTPClientError.connect("Connection refused")) { try peers.post("/ok") }
    try peers.server.start()
    #expect(try peers.accepts() == "1")
  }
}
