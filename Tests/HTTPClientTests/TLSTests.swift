// TLS is verified: the chain, the time, the name (contract §8.1).

import Glibc
import HTTP
import HTTPClient
import Synchronization
import System
import Testing

@Suite struct TLSTests {
  private let certificates = Certificates.shared

  private func post(
    _ path: String = "/ok", to server: WebServer, host: String = "localhost",
    isTrusted: Bool = true
  ) throws -> HTTPClientResponse {
    let client = HTTPClient(
      trust: try TrustStore(caFile: isTrusted ? certificates.authority : nil), limits: .patient)
    return try client.post([1], to: server.url(path, host: host), headers: [])
  }

  @Test func aKnownAuthorityAndTheRightNameOrAddress() throws {
    #expect(try post(to: .secure).status == 200)
    #expect(try post(to: .secure, host: "127.0.0.1").status == 200)
  }

  @Test func anUnknownAuthority() throws {
    #expect(
      throws: HTTPClientError.tlsVerification("unable to get local issuer certificate")
    ) { try post(to: .secure, isTrusted: false) }
    #expect(throws: HTTPClientError.tlsVerification("self-signed certificate")) {
      try post(to: WebServer(certificates.selfSigned))
    }
  }

  @Test func anotherName() throws {
    let server = try WebServer(certificates.other)
    #expect(throws: HTTPClientError.tlsVerification("hostname mismatch")) { try post(to: server) }
    #expect(throws: HTTPClientError.tlsVerification("IP address mismatch")) {
      try post(to: server, host: "127.0.0.1")
    }
  }

  @Test("RFC 9525, 2: the subject does not count") func theSubject() throws {
    #expect(throws: HTTPClientError.tlsVerification("hostname mismatch")) {
      try post(to: WebServer(certificates.subjectOnly))
    }
  }

  @Test func anExpiredCertificate() throws {
    #expect(throws: HTTPClientError.tlsVerification("certificate has expired")) {
      try post(to: WebServer(certificates.expired))
    }
  }

  @Test("A look at any certificate, without a verification, tells how long it is valid")
  func unverified() throws {
    for (server, isValid) in [
      (try WebServer(certificates.good), true), (try WebServer(certificates.expired), false),
      (try WebServer(certificates.selfSigned), true),
    ] {
      let client = HTTPClient(trust: try TrustStore(verifies: false), limits: .patient)
      #expect(client.certificate == nil)
      #expect(
        try client.post([1], to: server.url("/ok", host: "localhost"), headers: []).status == 200)
      let left = try #require(client.certificate).secondsLeft
      #expect((left > 0) == isValid)
    }
  }

  @Test(arguments: [("TLSv1_1", false), ("TLSv1_2", true), ("TLSv1_3", true)])
  func versions(version: String, isSpoken: Bool) throws {
    let server = try WebServer(certificates.good, tls: version)
    if isSpoken {
      #expect(try post("/chunked", to: server).status == 200)
    } else {
      #expect { try post(to: server) } throws: {
        if case .tls? = $0 as? HTTPClientError { true } else { false }
      }
    }
  }

  @Test func aServerWithoutTLS() throws {
    let url = try HTTPURL("https://localhost:\(WebServer.plain.port)/ok")
    let client = HTTPClient(trust: try TrustStore(caFile: nil))
    #expect(throws: HTTPClientError.tls("wrong version number")) {
      try client.post([], to: url, headers: [])
    }
  }

  @Test(arguments: ["/until-close", "/interim", "/huge-body", "/redirect"])
  func responses(path: String) throws {
    #expect(try post(path, to: .secure).status < 400)
  }

  @Test func aResponseThatIsCutShortIsNoticed() throws {
    for path in ["/cut-head", "/cut-body", "/cut-chunk", "/nothing"] {
      #expect(throws: HTTPClientError.connectionClosed) { try post(path, to: .secure) }
    }
  }

  @Test func aLargeRequestAndAnEarlyResponse() throws {
    let server = WebServer.secure
    let client = HTTPClient(
      trust: try TrustStore(caFile: certificates.authority), limits: .patient)
    let body = [UInt8](repeating: UInt8(ascii: "x"), count: 20_000_000)
    #expect(try client.post(body, to: server.url("/ok"), headers: []).status == 200)
    signal(SIGPIPE, SIG_DFL)
    _ = try? client.post(body, to: server.url("/early"), headers: [])
    #expect(try client.post([], to: server.url("/ok"), headers: []).status == 200)
  }

  @Test("RFC 8446, 6.1: a connection that is given up ends with close_notify, on its own socket")
  func farewell() throws {
    let server = try WebServer(certificates.good)
    for _ in 0..<3 { #expect(try post(to: server).status == 200) }
    let deadline = Deadline(milliseconds: 60_000)
    var count = ""
    while (Int(count) ?? 0) < 3, !deadline.hasPassed {
      count = String(decoding: try post("/farewells", to: server).body, as: UTF8.self)
      usleep(10_000)
    }
    #expect((Int(count) ?? 0) >= 3)
  }

  @Test func clientsOfSeveralThreadsDoNotDisturbEachOther() throws {
    let trust = try TrustStore(caFile: certificates.authority)
    let url = try WebServer.secure.url("/ok", host: "localhost")
    let successes = Mutex(0)
    let threads = try (0..<4).map { _ in
      try Thread.start(name: "client") {
        for _ in 0..<10 {
          let client = HTTPClient(trust: trust, limits: .patient)
          for _ in 0..<3 where (try? client.post([1], to: url, headers: []).status) == 200 {
            successes.withLock { $0 += 1 }
          }
        }
      }
    }
    for thread in threads { thread.join() }
    #expect(successes.withLock { $0 } == 120)
  }

  @Test func aFileOfAuthoritiesMustBeOne() {
    for path in ["/nonexistent", "/etc/hostname", "/dev/null"] {
      #expect { try TrustStore(caFile: path) } throws: {
        "\($0)".hasPrefix("certificates to trust: \(path)")
      }
    }
  }
}
