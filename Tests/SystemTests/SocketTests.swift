// Addresses, listening and connecting.

import CLinux
import Glibc
import System
import Testing

@Suite struct SocketTests {
  @Test func addresses() {
    #expect(SocketAddress("unix:/run/x.sock") == .unix(path: "/run/x.sock"))
    #expect(SocketAddress("127.0.0.1:80") == .tcp(host: "127.0.0.1", port: 80))
    #expect(SocketAddress("localhost:65535") == .tcp(host: "localhost", port: 65_535))
    #expect(SocketAddress("[::1]:9502") == .tcp(host: "::1", port: 9502))
    #expect(SocketAddress.tcp(host: "::1", port: 1).description == "[::1]:1")
    for text in [
      "", "unix:", "unix:x", "localhost", "localhost:", ":80", "::1:80", "localhost:0",
      "localhost:65536", "localhost:http", "unix:/" + String(repeating: "x", count: 107),
      "[[]]]:4", "[h:4", "h]:4", "[]:4", "[[::1]]:4",
    ] {
      #expect(SocketAddress(text) == nil, "\(text)")
    }
    for text in ["unix:/a b", "[fe80::1]:5", "h:1"] {
      #expect(SocketAddress(text)?.description == text)
    }
  }

  private func path() -> String {
    "/tmp/chattrix-socket-" + Randomness.system.hexadecimal(bytes: 8)
  }

  /// Accepts one connection, reads a byte and sends it back.
  private func echo(_ listener: Int32) {
    let peer = Descriptor(accept(listener, nil, nil))
    var byte: UInt8 = 0
    if read(peer.raw, &byte, 1) == 1 { _ = write(peer.raw, &byte, 1) }
  }

  private func expectEcho(_ address: SocketAddress, _ listener: Int32) throws {
    let thread = try Thread.start(name: "echo") { echo(listener) }
    let client = try connect(to: address, timeoutMilliseconds: 1000)
    var byte: UInt8 = 42
    #expect(write(client.raw, &byte, 1) == 1)
    byte = 0
    #expect(read(client.raw, &byte, 1) == 1)
    #expect(byte == 42)
    #expect(chattrix_fcntl(client.raw, F_GETFD, 0) & FD_CLOEXEC != 0)
    thread.join()
  }

  @Test func aUnixSocketListensWithItsModeAndReplacesAStaleOne() throws {
    let path = path()
    defer { unlink(path) }
    for _ in 0..<2 {
      let listener = try listen(on: .unix(path: path))
      try expectEcho(.unix(path: path), listener.raw)
      var status = stat()
      stat(path, &status)
      #expect(status.st_mode & S_IFMT == S_IFSOCK)
      #expect(status.st_mode & 0o007 == 0 || status.st_mode & 0o777 == 0o666)
    }
  }

  @Test func whatIsNoSocketIsLeftAlone() throws {
    let path = path()
    defer { unlink(path) }
    close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600))
    #expect { _ = try listen(on: .unix(path: path)).raw } throws: {
      ($0 as? SystemError)?.errno == EEXIST
    }
    #expect(access(path, F_OK) == 0)
  }

  @Test func aLoopbackPortListens() throws {
    var port: UInt16 = 0
    var listener: Int32 = -1
    for candidate in UInt16(20_000)...20_200 {
      if let made = try? listen(on: .tcp(host: "127.0.0.1", port: candidate)) {
        (port, listener) = (candidate, made.release())
        break
      }
    }
    let descriptor = Descriptor(listener)
    try expectEcho(.tcp(host: "127.0.0.1", port: port), descriptor.raw)
    #expect { _ = try listen(on: .tcp(host: "127.0.0.1", port: port)).raw } throws: {
      ($0 as? SystemError)?.errno == EADDRINUSE
    }
  }

  @Test func connectingToNobodyFailsAtOnce() {
    #expect {
      _ = try connect(to: .unix(path: "/nonexistent/s"), timeoutMilliseconds: 1000).raw
    } throws: { ($0 as? SystemError)?.errno == ENOENT }
    #expect {
      _ = try connect(to: .tcp(host: "127.0.0.1", port: 1), timeoutMilliseconds: 1000).raw
    } throws: { ($0 as? SystemError)?.errno == ECONNREFUSED }
  }
}
