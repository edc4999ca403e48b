// The WebSocket server's part of /metrics (contract §1, "Operations"): what comes of it when the server answers, does not,
// or answers with something else, and how many workers wait for it. A thread of the test stands for the server.

import Exposition
import Glibc
import Synchronization
import System
import Testing

@testable import API

/// Answers each connection with the same bytes, or hangs: then the kernel takes connections, and nothing reads them.
private final class FarSide: Sendable {
  let address: SocketAddress
  private let listener: Descriptor

  init() throws {
    address = .unix(path: "/tmp/chattrix-page-\(Randomness.system.hexadecimal(bytes: 8))")
    listener = try listen(on: address)
  }

  deinit { if case .unix(let path) = address { unlink(path) } }

  /// How many have connected since the last time, while it hangs.
  var connections: Int {
    get throws {
      try setNonBlocking(listener.raw)
      var count = 0
      while true {
        let connection = Descriptor(accept(listener.raw, nil, nil))
        guard connection.raw >= 0 else { return count }
        count += 1
      }
    }
  }

  func answer(_ bytes: [UInt8]) throws -> Thread {
    try Thread.start(name: "far side") { [self] in
      while true {
        let connection = Descriptor(accept(listener.raw, nil, nil))
        guard connection.raw >= 0 else { return }
        var buffer = [UInt8](repeating: 0, count: 4096)
        guard recv(connection.raw, &buffer, buffer.count, 0) > 0 else { continue }
        var sent = 0
        while sent < bytes.count {
          let part = bytes[sent...].withUnsafeBytes {
            send(connection.raw, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
          }
          if part <= 0 { break }
          sent += part
        }
        shutdown(connection.raw, Int32(SHUT_WR))
      }
    }
  }

  func stop(_ thread: Thread) {
    shutdown(listener.raw, Int32(SHUT_RDWR))
    thread.join()
  }
}

@Suite struct SignalingPageTests {
  private static let body = "# HELP x_total X.\n# TYPE x_total counter\nx_total 7\n"
  private let counters: SharedCounters
  private let clock = Clock()

  private final class Clock: Sendable {
    let milliseconds = Atomic<Int64>(1_000_000)
    func advance(by milliseconds: Int64) { self.milliseconds.add(milliseconds, ordering: .relaxed) }
  }

  /// A pool of four.
  init() throws {
    counters = try SharedCounters.create(slots: 7, counters: SupervisorLink.counters)
    counters.store(
      4, in: SupervisorCounter.workersRunning.rawValue, slot: SupervisorLink.supervisorSlot)
  }

  /// With time for a server that does answer, however busy the machine is.
  private func patient(_ address: SocketAddress) -> SignalingPage {
    SignalingPage(address, counters: counters, slot: 1, bound: 30_000)
  }

  private func page(_ address: SocketAddress, slot: Int = 1) -> SignalingPage {
    SignalingPage(address, counters: counters, slot: slot) { [clock] in
      clock.milliseconds.load(ordering: .relaxed)
    }
  }

  private func response(_ body: [UInt8], _ status: String = "200 OK") -> [UInt8] {
    Array("HTTP/1.1 \(status)\r\nContent-Length: \(body.count)\r\nConnection: close\r\n\r\n".utf8)
      + body
  }

  private func read(_ answer: [UInt8]) throws -> Exposition? {
    let far = try FarSide()
    let thread = try far.answer(answer)
    defer { far.stop(thread) }
    return patient(far.address).read()
  }

  @Test("The page of a server that answers")
  func answered() throws {
    #expect(try read(response(Array(Self.body.utf8)))?.text == Self.body)
  }

  @Test("The families of both are on one page, and say that the server is up")
  func merged() throws {
    let far = try FarSide()
    let theirs =
      Self.body + "# HELP chattrix_mysql_reconnections_total M.\n"
      + "# TYPE chattrix_mysql_reconnections_total counter\n"
      + "chattrix_mysql_reconnections_total{program=\"signaling\"} 5\n"
      + "# HELP chattrix_signaling_up U.\n# TYPE chattrix_signaling_up gauge\nchattrix_signaling_up 0\n"
    let thread = try far.answer(response(Array(theirs.utf8)))
    defer { far.stop(thread) }
    let text = Metrics(counters: counters, signaling: patient(far.address)).exposition()
    let lines = text.split(separator: "\n")
    #expect(lines.contains("chattrix_signaling_up 1"))
    #expect(!lines.contains("chattrix_signaling_up 0"))
    #expect(lines.contains("x_total 7"))
    let heads = lines.filter { $0.hasPrefix("# TYPE ") }
    #expect(Set(heads).count == heads.count)
    let place = try #require(
      lines.firstIndex(of: "# TYPE chattrix_mysql_reconnections_total counter"))
    #expect(lines[place + 4] == "chattrix_mysql_reconnections_total{program=\"signaling\"} 5")
  }

  @Test("A server that is not there costs nothing, and the rest of the page is as before")
  func away() throws {
    let far = try FarSide()
    let path = far.address.description.dropFirst(5)
    unlink(String(path))
    let text = Metrics(counters: counters, signaling: patient(far.address)).exposition()
    let lines = text.split(separator: "\n")
    #expect(lines.contains("chattrix_signaling_up 0"))
    #expect(lines.contains("chattrix_workers{state=\"running\"} 4"))
    // Nothing is remembered: once it is there it is asked.
    let again = try FarSide()
    let thread = try again.answer(response(Array(Self.body.utf8)))
    defer { again.stop(thread) }
    #expect(patient(again.address).read() != nil)
  }

  @Test("Whatever else answers is not taken")
  func foreign() throws {
    for answer in [
      response(Array(Self.body.utf8), "404 Not Found"), response([0xFF, 0x0A]),
      response(Array(Self.body.dropLast().utf8)), response([]), Array("SSH-2.0-OpenSSH\r\n".utf8),
      Array(response(Array(Self.body.utf8)).dropLast()), [],
      response([UInt8](repeating: UInt8(ascii: "x"), count: Exposition.limitBytes + 1)),
      Array("HTTP/1.1 200 OK\r\n\r\n".utf8)
        + [UInt8](repeating: UInt8(ascii: "x"), count: 4 * Exposition.limitBytes),
    ] {
      #expect(try read(answer) == nil)
    }
  }

  @Test("A server that hangs is waited for once a second by the whole pool")
  func silent() throws {
    let far = try FarSide()
    let (one, other) = (page(far.address, slot: 1), page(far.address, slot: 3))
    #expect(one.read() == nil)
    clock.advance(by: SignalingPage.silenceMilliseconds - 1)
    #expect(one.read() == nil)
    #expect(other.read() == nil)
    #expect(try far.connections == 1)
    clock.advance(by: 1)
    #expect(other.read() == nil)
    #expect(try far.connections == 1)
  }

  @Test("Half of the pool waits for as long as it may; the mark of a dead worker does not count")
  func crowded() throws {
    let far = try FarSide()
    let now = UInt64(clock.milliseconds.load(ordering: .relaxed))
    func mark(_ slot: Int, _ moment: UInt64) {
      counters.store(moment, in: WorkerCounter.signalingAskedAt.rawValue, slot: slot)
    }
    mark(2, now)
    mark(3, now)
    // A short wait in vain says nothing about the server.
    #expect(page(far.address).read() == nil)
    #expect(page(far.address).read() == nil)
    #expect(try far.connections == 2)
    mark(3, now - UInt64(SignalingPage.silenceMilliseconds))
    #expect(page(far.address).read() == nil)
    #expect(page(far.address).read() == nil)
    #expect(try far.connections == 1)
  }
}
