// Names, addresses and connections that are not there, or do not answer.

import Glibc
import HTTP
import Synchronization
import System
import Testing

@testable import HTTPClient

@Suite struct ConnectingTests {
  private func post(_ url: String, _ limits: HTTPExchangeLimits = .init()) throws
    -> HTTPClientResponse
  {
    let client = HTTPClient(trust: try TrustStore(caFile: nil), limits: limits)
    return try client.post([], to: HTTPURL(url), headers: [])
  }

  @Test func aNameThatDoesNotExist() {
    #expect {
      try post("http://does-not-exist.invalid/", .init(totalMilliseconds: 5_000))
    } throws: {
      // The time is over where no resolver answers.
      switch $0 as? HTTPClientError {
      case .nameResolution, .timedOut(.nameResolution): true
      default: false
      }
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
    let listener = try FullListener()
    defer { withExtendedLifetime(listener) {} }
    #expect(throws: HTTPClientError.timedOut(.connect)) {
      try post("http://127.0.0.1:\(listener.port)/", HTTPExchangeLimits(connectMilliseconds: 200))
    }
  }

  @Test func theNextAddressIsTriedWhereOneRefusesOrDoesNotAnswer() throws {
    func address(_ port: UInt16) throws -> NetworkAddress {
      try #require(try NetworkAddress.resolve("127.0.0.1", port, isNumeric: true).get().first)
    }
    let (silent, good) = (try FullListener(), try SilentListener(backlog: 10))
    defer { withExtendedLifetime((silent, good)) {} }
    let (refusing, slow) = (try address(1), try address(silent.port))
    let addresses = [refusing, slow, try address(good.port)]
    #expect(try addresses.connect(until: Deadline(milliseconds: 2000)).raw >= 0)
    #expect(throws: HTTPClientError.connect("Connection refused")) {
      _ = try [slow, refusing].connect(until: Deadline(milliseconds: 2000)).raw
    }
    #expect(throws: HTTPClientError.timedOut(.connect)) {
      _ = try [refusing, slow].connect(until: Deadline(milliseconds: 400)).raw
    }
  }

  @Test(.enabled(if: (try? SilentListener(backlog: 1, host: "::1")) != nil)) func anIPv6Address()
    throws
  {
    let server = try WebServer(host: "::1")
    let response = try post("http://[::1]:\(server.port)/echo")
    #expect(String(decoding: response.body, as: UTF8.self).contains("Host: [::1]:\(server.port)"))
  }

  @Test func aServerThatDoesNotSpeak() throws {
    let listener = try SilentListener(backlog: 10)
    defer { withExtendedLifetime(listener) {} }
    let limits = HTTPExchangeLimits(connectMilliseconds: 700, totalMilliseconds: 1000)
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
private class SilentListener {
  let port: UInt16
  private let descriptor: Descriptor

  init(backlog: Int32, host: String = "127.0.0.1") throws {
    descriptor = try listen(on: .tcp(host: host, port: 0), backlog: backlog)
    var address = sockaddr_in6()  // The port is where sockaddr_in has it.
    var size = socklen_t(MemoryLayout<sockaddr_in6>.size)
    let raw = descriptor.raw
    withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(raw, $0, &size) }
    }
    port = UInt16(bigEndian: address.sin6_port)
  }
}

/// With as many connections waiting as its backlog allows: the kernel answers no further one.
private final class FullListener: SilentListener {
  private var waiting: [Int32] = []

  init() throws {
    try super.init(backlog: 0)
    while waiting.count < 10,
      let next = try? connect(
        to: .tcp(host: "127.0.0.1", port: port), timeoutMilliseconds: 100)
    {
      waiting.append(next.release())
    }
  }

  deinit { for socket in waiting { close(socket) } }
}
