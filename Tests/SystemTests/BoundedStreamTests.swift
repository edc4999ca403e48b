// A connection with one deadline for everything.

import Glibc
import Testing

@testable import System

@Suite struct BoundedStreamTests {
  private let address = SocketAddress.unix(
    path: "/tmp/chattrix-bounded-\(Randomness.system.hexadecimal(bytes: 8))")

  private func cleanUp() { if case .unix(let path) = address { unlink(path) } }

  @Test("A far side that is silent, that takes nothing, and that sends without an end")
  func deadline() throws {
    let listener = try listen(on: address)
    defer { cleanUp() }
    let silent = try BoundedStream(to: address, withinMilliseconds: 200)
    var buffer = [UInt8](repeating: 0, count: 1024)
    do {
      _ = try silent.receive(into: &buffer)
      Issue.record("received from a silent far side")
    } catch { #expect(error.isTimeOut) }
    let full = try BoundedStream(to: address, withinMilliseconds: 200)
    do {
      try full.send([UInt8](repeating: 0, count: 16_777_216))
      Issue.record("sent to a far side that does not read")
    } catch { #expect(error.isTimeOut) }
    _ = Descriptor(accept(listener.raw, nil, nil))
    let connection = Descriptor(accept(listener.raw, nil, nil))
    let endless = try BoundedStream(to: address, withinMilliseconds: 200)
    let sender = Descriptor(accept(listener.raw, nil, nil))
    let raw = sender.raw
    let thread = try Thread.start(name: "sender") {
      let bytes = [UInt8](repeating: 0, count: 65_536)
      while send(raw, bytes, bytes.count, Int32(MSG_NOSIGNAL)) > 0 {}
    }
    do {
      while try endless.receive(into: &buffer) > 0 {}
      Issue.record("the stream ended")
    } catch { #expect(error.isTimeOut) }
    shutdown(raw, Int32(SHUT_RDWR))
    thread.join()
    _ = connection
  }

  @Test("Bytes go both ways, and the end of the stream is told")
  func exchange() throws {
    let listener = try listen(on: address)
    defer { cleanUp() }
    let stream = try BoundedStream(to: address, withinMilliseconds: 10_000)
    try stream.send(Array("ping".utf8))
    var buffer = [UInt8](repeating: 0, count: 1024)
    do {
      let far = Descriptor(accept(listener.raw, nil, nil))
      #expect(recv(far.raw, &buffer, buffer.count, 0) == 4)
      #expect(send(far.raw, "pong", 4, Int32(MSG_NOSIGNAL)) == 4)
    }
    #expect(try stream.receive(into: &buffer) == 4)
    #expect(buffer.starts(with: "pong".utf8))
    #expect(try stream.receive(into: &buffer) == 0)
  }

  @Test("Nobody there is no time-out")
  func nobody() {
    do {
      _ = try BoundedStream(to: address, withinMilliseconds: 1000)
      Issue.record("connected to nothing")
    } catch { #expect(!error.isTimeOut) }
  }
}
