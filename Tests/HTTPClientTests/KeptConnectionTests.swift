// Which exchanges share a connection (RFC 9112 section 9.3), and what happens when it is gone; each with and
// without TLS.

import Glibc
import HTTP
import HTTPClient
import System
import Testing

@Suite struct KeptConnectionTests {
  private struct Peers {
    let server: WebServer
    let client: HTTPClient
    private let name = Randomness.system.hexadecimal(bytes: 8)

    init(isSecure: Bool, own: Bool = false, _ limits: HTTPExchangeLimits = .patient) throws {
      let certificates = Certificates.shared
      let certificate = isSecure ? certificates.good : nil
      server =
        own ? try WebServer(certificate, restarts: true) : isSecure ? .secure : .plain
      client = HTTPClient(trust: try TrustStore(caFile: certificates.authority), limits: limits)
    }

    func post(_ path: String, host: String = "127.0.0.1") throws -> HTTPClientResponse {
      try client.post([1, 2, 3], to: server.url(path, host: host), headers: [("X-Client", name)])
    }

    /// Which one of the server's connections the exchange used.
    func connection(_ path: String = "/ok", host: String = "127.0.0.1") throws -> String {
      try #require(try post(path, host: host).headers["X-Connection"])
    }

    /// How many requests of this client the server has read, this one included.
    func requests() throws -> String? { try post("/ok").headers["X-Requests"] }
  }

  @Test(arguments: [false, true]) func exchangesShareAConnection(isSecure: Bool) throws {
    let peers = try Peers(isSecure: isSecure)
    let first = try peers.connection()
    for _ in 0..<20 { #expect(try peers.connection() == first) }
    #expect(try peers.requests() == "22")
  }

  @Test(arguments: [false, true]) func notWhereTheServerSaysOtherwise(isSecure: Bool) throws {
    let peers = try Peers(isSecure: isSecure)
    #expect(try peers.connection("/says-close") != peers.connection())
  }

  @Test(arguments: [false, true]) func anotherOriginGetsItsOwn(isSecure: Bool) throws {
    let peers = try Peers(isSecure: isSecure)
    #expect(try peers.connection() != peers.connection(host: "localhost"))
  }

  @Test(arguments: [false, true]) func notAfterItHasBeenIdleForTooLong(isSecure: Bool) throws {
    let peers = try Peers(isSecure: isSecure, HTTPExchangeLimits(idleMilliseconds: 0))
    #expect(try peers.connection() != peers.connection())
  }

  @Test(arguments: [false, true]) func aConnectionThatWasClosedIsNoticed(isSecure: Bool) throws {
    let peers = try Peers(isSecure: isSecure)
    // Whether the close has come by then or comes while the next request is sent, it goes well.
    #expect(try peers.connection("/closes") != peers.connection())
    #expect(try peers.requests() == "3")
  }

  @Test(arguments: [false, true]) func aRequestThatGotNoAnswerIsSentAgain(isSecure: Bool) throws {
    let peers = try Peers(isSecure: isSecure)
    #expect(try peers.connection("/last") != peers.connection())
  }

  @Test(arguments: [false, true])
  func butNotAfterThePartOfAnAnswerNorOnANewConnection(isSecure: Bool) throws {
    let peers = try Peers(isSecure: isSecure)
    for path in ["/cut-head", "/nothing"] {
      _ = try peers.post("/ok")
      #expect(throws: HTTPClientError.connectionClosed) { try peers.post("/cut-head") }
      #expect(throws: HTTPClientError.connectionClosed) { try peers.post(path) }
    }
    #expect(try peers.requests() == "7")
  }

  @Test(arguments: [false, true]) func bytesThatNobodyAskedForEndIt(isSecure: Bool) throws {
    let peers = try Peers(isSecure: isSecure)
    let first = try peers.connection()
    #expect(try peers.post("/two").status == 200)
    let next = try peers.post("/ok")
    #expect(next.status == 200 && next.headers["X-Connection"] != first)
  }

  @Test(arguments: [false, true]) func aServerIsRestartedBetweenTwoRequests(isSecure: Bool) throws {
    let peers = try Peers(isSecure: isSecure, own: true)
    #expect(try peers.requests() == "1")
    try peers.server.restart()
    #expect(try peers.requests() == "1")
    peers.server.stop()
    #expect(throws: HTTPClientError.connect("Connection refused")) { try peers.post("/ok") }
  }
}
