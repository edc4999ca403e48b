// The sockets of one run: many clients of one server on one thread.

import CLinux
import Glibc
import System

/// The server's address, resolved once: numeric, because nothing here is about names.
struct Target {
  private var address = sockaddr_in()

  init(_ options: Options) throws {
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = options.port.bigEndian
    guard inet_pton(AF_INET, options.host, &address.sin_addr) == 1 else {
      throw Failure("\(options.host) is no IPv4 address")
    }
  }

  /// A connected socket, on which Nagle's delay is off. It blocks; what is read and written is not.
  func connect() throws -> Descriptor {
    let descriptor = Descriptor(
      try retryingInterrupts("socket") { socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) })
    var on: Int32 = 1
    setsockopt(
      descriptor.raw, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    // A reset at the end instead of a port in TIME_WAIT: there are 28 thousand of them.
    var end = linger(l_onoff: 1, l_linger: 0)
    setsockopt(
      descriptor.raw, SOL_SOCKET, SO_LINGER, &end, socklen_t(MemoryLayout<linger>.size))
    var address = address
    let raw = descriptor.raw
    try retryingInterrupts("connect") {
      withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          Glibc.connect(raw, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
    }
    return descriptor
  }
}

/// What every client reads into.
final class Input {
  let bytes = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 65_536)

  deinit { bytes.deallocate() }

  /// - Returns: nil where nothing is there yet.
  /// - Throws: where the server has gone.
  func receive(from raw: Int32) throws -> UnsafeBufferPointer<UInt8>? {
    let count = recv(raw, bytes.baseAddress, bytes.count, Int32(MSG_DONTWAIT))
    if count > 0 { return UnsafeBufferPointer(rebasing: bytes[..<count]) }
    if count < 0, errno == EAGAIN || errno == EINTR { return nil }
    guard count == 0 else { throw SystemError(call: "recv") }
    throw Failure("the server has closed a connection")
  }
}

/// Sends something small: what does not fit a socket's buffer at once is a fault here.
func transmit(_ bytes: [UInt8], to raw: Int32) throws {
  let count = send(raw, bytes, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
  guard count == bytes.count else {
    throw Failure("a socket took \(count) of \(bytes.count) bytes")
  }
}

/// How long the server's frame at the beginning of `bytes` is, header and all; nil where even that
/// cannot be said yet.
func frameLength(_ bytes: UnsafeBufferPointer<UInt8>.SubSequence) -> Int? {
  guard bytes.count >= 2 else { return nil }
  let start = bytes.startIndex
  switch bytes[start + 1] & 0x7F {
  case 126:
    guard bytes.count >= 4 else { return nil }
    return 4 + Int(bytes[start + 2]) << 8 + Int(bytes[start + 3])
  case 127:
    guard bytes.count >= 10 else { return nil }
    return 10 + bytes[(start + 2)..<(start + 10)].reduce(0) { $0 << 8 | Int($1) }
  case let length: return 2 + Int(length)
  }
}
