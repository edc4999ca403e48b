// A connection to one origin: a TCP socket, with TLS on it where the URL is `https`.

import Glibc
import HTTP
import System

final class Connection {
  /// When bytes last went either way.
  private(set) var lastUsed = MonotonicClock.milliseconds()
  private let url: HTTPURL
  private let socket: Descriptor
  private let tls: TLSSession?

  /// Does the TLS handshake.
  init(
    to url: HTTPURL, on socket: consuming Descriptor, trust: TrustStore, until deadline: Deadline
  ) throws(HTTPClientError) {
    let raw = socket.raw
    self.url = url
    self.socket = socket
    tls = url.isSecure ? try TLSSession(to: url, on: raw, trust: trust) : nil
    if let tls { _ = try perform(on: raw, until: deadline, phase: .tlsHandshake, tls.handshake) }
  }

  deinit { tls?.close() }

  var certificate: ServerCertificate? { tls?.certificate }

  /// Whether a request to `other` may go out here: the same origin (RFC 6454).
  func leads(to other: HTTPURL) -> Bool {
    (url.isSecure, url.host, url.port) == (other.isSecure, other.host, other.port)
  }

  /// Whether the far side has closed, or sent what nobody asked for, while nothing was going on.
  var isStale: Bool {
    if let tls { return !tls.isQuiet() }
    return isReady(socket.raw, for: POLLIN, until: Deadline(milliseconds: 0))
  }

  func send(_ bytes: [UInt8], until deadline: Deadline) throws(HTTPClientError) {
    var sent = 0
    while sent < bytes.count {
      sent += try perform(on: socket.raw, until: deadline, phase: .request) {
        bytes.withUnsafeBytes { write(UnsafeRawBufferPointer(rebasing: $0[sent...])) }
      }
    }
    lastUsed = MonotonicClock.milliseconds()
  }

  /// - Returns: How many bytes there are now at the beginning of `buffer`; 0 at the end of the stream.
  func receive(into buffer: inout [UInt8], until deadline: Deadline) throws(HTTPClientError) -> Int
  {
    let count = try perform(on: socket.raw, until: deadline, phase: .response) {
      buffer.withUnsafeMutableBytes { read(into: $0) }
    }
    lastUsed = MonotonicClock.milliseconds()
    return count
  }

  private func write(_ bytes: UnsafeRawBufferPointer) -> Transfer {
    if let tls { return tls.write(bytes) }
    return Self.transfer(
      Glibc.send(socket.raw, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL)), POLLOUT)
  }

  private func read(into buffer: UnsafeMutableRawBufferPointer) -> Transfer {
    if let tls { return tls.read(into: buffer) }
    return Self.transfer(recv(socket.raw, buffer.baseAddress, buffer.count, 0), POLLIN)
  }

  private static func transfer(_ count: Int, _ events: Int32) -> Transfer {
    if count >= 0 { return .done(count) }
    return errno == EAGAIN || errno == EINTR ? .wants(events) : .failed(.connectionClosed)
  }
}
