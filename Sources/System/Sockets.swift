// Stream sockets: listening and connecting on Unix paths (unix(7)) and loopback ports (tcp(7)).

import CLinux
import Glibc

/// Where a server listens or a client connects.
package enum SocketAddress: Sendable, Equatable, CustomStringConvertible {
  /// A path of at most 107 bytes.
  case unix(path: String)
  /// A host name or numeric address, and a port of 1…65535.
  case tcp(host: String, port: UInt16)

  /// Reads `unix:/path`, `HOST:PORT` or `[IPv6]:PORT`; nil for anything else.
  package init?(_ text: String) {
    if text.hasPrefix("unix:") {
      let path = String(text.dropFirst(5))
      guard path.hasPrefix("/"), path.utf8.count <= 107 else { return nil }
      self = .unix(path: path)
      return
    }
    guard let colon = text.lastIndex(of: ":"),
      let port = UInt16(text[text.index(after: colon)...]), port > 0
    else { return nil }
    var host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
    guard !host.isEmpty, text.hasPrefix("[") || !host.contains(":"),
      !host.utf8.contains(where: { $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "]") })
    else { return nil }
    self = .tcp(host: String(host), port: port)
  }

  package var description: String {
    switch self {
    case .unix(let path): "unix:\(path)"
    case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
  }

  /// Calls `body` with the address in the form that `bind` and `connect` take.
  fileprivate func withResolved<Result: ~Copyable>(
    passive: Bool,
    _ body: (_ family: Int32, UnsafePointer<sockaddr>, socklen_t) throws(SystemError) -> Result
  ) throws(SystemError) -> Result {
    switch self {
    case .unix(let path): try withUnixAddress(path, body)
    case .tcp(let host, let port): try withInternetAddress(host, port, passive: passive, body)
    }
  }

  private func withUnixAddress<Result: ~Copyable>(
    _ path: String,
    _ body: (_ family: Int32, UnsafePointer<sockaddr>, socklen_t) throws(SystemError) -> Result
  ) throws(SystemError) -> Result {
    var address = sockaddr_un()
    let bytes = Array(path.utf8)
    guard bytes.count < MemoryLayout.size(ofValue: address.sun_path), !bytes.contains(0) else {
      throw SystemError(errno: ENAMETOOLONG, call: "unix:\(path)")
    }
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    return try withUnsafePointer(to: &address) { pointer throws(SystemError) in
      try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw throws(SystemError) in
        try body(AF_UNIX, raw, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
  }

  private func withInternetAddress<Result: ~Copyable>(
    _ host: String, _ port: UInt16, passive: Bool,
    _ body: (_ family: Int32, UnsafePointer<sockaddr>, socklen_t) throws(SystemError) -> Result
  ) throws(SystemError) -> Result {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_NUMERICSERV | (passive ? AI_PASSIVE : 0)
    var list: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(host, String(port), &hints, &list)
    guard code == 0, let first = list else {
      throw SystemError(errno: ENOENT, call: "resolve \(host)")
    }
    defer { freeaddrinfo(first) }
    var last = SystemError(errno: ENOENT, call: "resolve \(host)")
    var candidate: UnsafeMutablePointer<addrinfo>? = first
    while let info = candidate?.pointee {
      do {
        return try body(info.ai_family, info.ai_addr, info.ai_addrlen)
      } catch { last = error }
      candidate = info.ai_next
    }
    throw last
  }
}

/// Opens a listening socket.
/// - Parameters:
///   - backlog: How many connections may wait to be accepted; the kernel caps it at
///     `net.core.somaxconn`.
///   - mode: The permissions of a Unix socket's path. A path left behind by a dead server is
///     replaced.
/// - Throws: `SystemError` with the address in its text.
package func listen(
  on address: SocketAddress, backlog: Int32 = 4096, mode: mode_t = 0o660
) throws(SystemError) -> Descriptor {
  if case .unix(let path) = address { try removeStaleSocket(path) }
  let flags = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
  let descriptor = try address.withResolved(passive: true) {
    (family, raw, length) throws(SystemError) in
    let descriptor = Descriptor(
      try retryingInterrupts("socket") { Glibc.socket(family, flags, 0) })
    var on: Int32 = 1
    setsockopt(
      descriptor.raw, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
    try retryingInterrupts("bind \(address)") { Glibc.bind(descriptor.raw, raw, length) }
    return descriptor
  }
  if case .unix(let path) = address {
    try retryingInterrupts("chmod \(path)") { chmod(path, mode) }
  }
  try retryingInterrupts("listen \(address)") { Glibc.listen(descriptor.raw, backlog) }
  return descriptor
}

private func removeStaleSocket(_ path: String) throws(SystemError) {
  var status = stat()
  guard lstat(path, &status) == 0 else { return }
  guard status.st_mode & S_IFMT == S_IFSOCK else {
    throw SystemError(errno: EEXIST, call: "bind unix:\(path), which is not a socket")
  }
  try retryingInterrupts("unlink \(path)") { unlink(path) }
}

/// Connects within a time.
/// - Parameter timeoutMilliseconds: 1 or more.
/// - Returns: A blocking socket, without Nagle's delay where it is TCP.
/// - Throws: `SystemError`, ETIMEDOUT where the time was too short.
package func connect(to address: SocketAddress, timeoutMilliseconds: Int32)
  throws(SystemError) -> Descriptor
{
  let type =
    Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    | Int32(SOCK_NONBLOCK.rawValue)
  return try address.withResolved(passive: false) { (family, raw, length) throws(SystemError) in
    let descriptor = Descriptor(try retryingInterrupts("socket") { Glibc.socket(family, type, 0) })
    if Glibc.connect(descriptor.raw, raw, length) != 0 {
      guard errno == EINPROGRESS else { throw SystemError(call: "connect \(address)") }
      try awaitConnection(descriptor.raw, address, timeoutMilliseconds)
    }
    _ = chattrix_fcntl(
      descriptor.raw, F_SETFL, chattrix_fcntl(descriptor.raw, F_GETFL, 0) & ~O_NONBLOCK)
    if family != AF_UNIX {
      var on: Int32 = 1
      setsockopt(
        descriptor.raw, Int32(IPPROTO_TCP), TCP_NODELAY, &on,
        socklen_t(MemoryLayout<Int32>.size))
    }
    return descriptor
  }
}

private func awaitConnection(
  _ raw: Int32, _ address: SocketAddress, _ timeoutMilliseconds: Int32
) throws(SystemError) {
  var waiting = pollfd(fd: raw, events: Int16(POLLOUT), revents: 0)
  let count = try retryingInterrupts("poll") { poll(&waiting, 1, timeoutMilliseconds) }
  guard count > 0 else { throw SystemError(errno: ETIMEDOUT, call: "connect \(address)") }
  var code: Int32 = 0
  var size = socklen_t(MemoryLayout<Int32>.size)
  getsockopt(raw, SOL_SOCKET, SO_ERROR, &code, &size)
  if code != 0 { throw SystemError(errno: code, call: "connect \(address)") }
}
