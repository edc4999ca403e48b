// Names, addresses and connections that are not there, or do not answer.

import Glibc
import HTTP
import HTTPClient
import Synchronization
import System
import Testing

@Suite struct ConnectingTests {
  private func post(_ url: String, _ limits: HTTPExchangeLimits = .init()) throws
    -> HTTPClientResponse
  {
    let client = HTTPClient(trust: try TrustStore(caFile: nil), limits: limits)
    return try client.post([], to: HTTPURL(url), headers: [])
  }

  @Test func aNameThatDoesNotExist() {
    #expect {
      try post("http://does-not-exist.invalid/", .init(totalMilliseconds: 30_000))
    } throws: {
      if case .nameResolution? = $0 as? HTTPClientError { true } else { false }
    }
  }

  @Test func aPortThatNobodyListensOn() {
    for host in ["127.0.0.1", "localhost"] {
      #expect(throws: HTTPClientError.connect("Connection refused")) {
        try post("http://\(host):1/")
      }
    }
  }

  @Test func aServerThatDoesNotTakeTheConnection() throws {
    let listener = try SilentListener(backlog: 0)
    defer { withExtendedLifetime(listener) {} }
    // The kernel answers no further connection once as many wait as the backlog allows, and one more.
    var waiting: [Int32] = []
    defer { for socket in waiting { close(socket) } }
    while let next = try? connect(
      to: .tcp(host: "127.0.0.1", port: listener.port), timeoutMilliseconds: 100),
      waiting.count < 10
    {
      waiting.append(next.release())
    }
    #expect(throws: HTTPClientError.timedOut(.connect)) {
      try post("http://127.0.0.1:\(listener.port)/", HTTPExchangeLimits(connectMilliseconds: 200))
    }
  }

  @Test func aServerThatDoesNotSpeak() throws {
    let listener = try SilentListener(backlog: 10)
    defer { withExtendedLifetime(listener) {} }
    let limits = HTTPExchangeLimits(connectMilliseconds: 200, totalMilliseconds: 400)
    #expect(throws: HTTPClientError.timedOut(.tlsHandshake)) {
      try post("https://127.0.0.1:\(listener.port)/", limits)
    }
    #expect(throws: HTTPClientError.timedOut(.response)) {
      try post("http://127.0.0.1:\(listener.port)/", limits)
    }
  }

  @Test func aResolverThatDoesNotAnswerIsNotWaitedFor() throws {
    let answer = Mutex(false)
    let lookup = try NameLookup.start("slow.test") {
      while !answer.withLock({ $0 }) { usleep(1000) }
      return .failure(.nameResolution("no such name"))
    }
    #expect(throws: HTTPClientError.timedOut(.nameResolution)) {
      try lookup.addresses(until: Deadline(milliseconds: 50))
    }
    #expect(lookup.isRunning)
    answer.withLock { $0 = true }
    for _ in 0..<2 {
      #expect(throws: HTTPClientError.nameResolution("no such name")) {
        try lookup.addresses(until: Deadline(milliseconds: 60_000))
      }
    }
    #expect(!lookup.isRunning)
  }
}

/// Listens on a loopback port that the system picks, and accepts nothing.
private final class SilentListener {
  let port: UInt16
  private let descriptor: Descriptor

  init(backlog: Int32) throws {
    descriptor = try listen(on: .tcp(host: "127.0.0.1", port: 0), backlog: backlog)
    var address = sockaddr_in()
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let raw = descriptor.raw
    withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(raw, $0, &size) }
    }
    port = UInt16(bigEndian: address.sin_port)
  }
}
