// Addresses of a host (getaddrinfo(3)), and a TCP connection to one of them (tcp(7)).

import CLinux
import Glibc
import System

/// An address and a port as connect(2) takes them.
package struct NetworkAddress: Sendable, Equatable {
  let family: Int32
  let bytes: [UInt8]

  /// Hosts with more addresses than that are tried at the first ones.
  static let maximumCount = 8

  /// Blocks for as long as the system's resolver does, unless `isNumeric`.
  /// - Parameter isNumeric: Only an address will do as a host; nothing is looked up.
  /// - Returns: One address or more, in the order in which they are to be tried (RFC 6724).
  static func resolve(
    _ host: String, _ port: UInt16, isNumeric: Bool
  ) -> Result<[NetworkAddress], HTTPClientError> {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_NUMERICSERV | (isNumeric ? AI_NUMERICHOST : 0)
    var list: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(host, String(port), &hints, &list)
    guard code == 0, let first = list else {
      let reason =
        code == EAI_SYSTEM ? strerror(errno)! : UnsafeMutablePointer(mutating: gai_strerror(code)!)
      return .failure(.nameResolution(String(cString: reason)))
    }
    defer { freeaddrinfo(first) }
    var addresses: [NetworkAddress] = []
    var next: UnsafeMutablePointer<addrinfo>? = first
    while let info = next?.pointee, addresses.count < maximumCount {
      let bytes = UnsafeRawBufferPointer(start: info.ai_addr, count: Int(info.ai_addrlen))
      addresses.append(NetworkAddress(family: info.ai_family, bytes: Array(bytes)))
      next = info.ai_next
    }
    return .success(addresses)
  }

  /// - Returns: A non-blocking socket without Nagle's delay.
  /// - Throws: `.connect` or `.timedOut`.
  func connect(until deadline: Deadline) throws(HTTPClientError) -> Descriptor {
    let type =
      Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
    let raw = socket(family, type, 0)
    guard raw >= 0 else { throw Self.failure(errno) }
    let descriptor = Descriptor(raw)
    var on: Int32 = 1
    setsockopt(raw, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    let result = bytes.withUnsafeBytes {
      Glibc.connect(
        raw, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
    }
    if result != 0 {
      // Interrupted by a signal, the connection goes on being made as well (connect(2)).
      guard errno == EINPROGRESS || errno == EINTR else { throw Self.failure(errno) }
      guard isReady(raw, for: POLLOUT, until: deadline) else { throw .timedOut(.connect) }
      var code: Int32 = 0
      var size = socklen_t(MemoryLayout<Int32>.size)
      getsockopt(raw, SOL_SOCKET, SO_ERROR, &code, &size)
      if code != 0 { throw Self.failure(code) }
    }
    return descriptor
  }

  private static func failure(_ code: Int32) -> HTTPClientError {
    .connect(String(cString: strerror(code)))
  }
}

extension [NetworkAddress] {
  /// Tries one after the other. Each gets an equal part of the time that is left, so that one that does not
  /// answer leaves some for the next.
  /// - Throws: What the last one failed with.
  func connect(until deadline: Deadline) throws(HTTPClientError) -> Descriptor {
    var failure = HTTPClientError.timedOut(.connect)
    for (index, address) in enumerated() {
      let share = deadline.remainingMilliseconds / Int32(count - index)
      do {
        return try address.connect(until: Swift.min(deadline, Deadline(milliseconds: share)))
      } catch { failure = error }
    }
    throw failure
  }
}
