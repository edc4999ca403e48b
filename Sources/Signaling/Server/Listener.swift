// The listening socket and what is accepted from it.

import CLinux
import Glibc
import System

final class Listener {
  private let socket: ListeningSocket
  /// Descriptors from here on are refused, so that the connections to MySQL and Redis can always be
  /// made again.
  private let descriptorLimit: Int32
  private var generation: UInt32 = 0
  /// Whether the server looks for new connections at the moment.
  var isPaused = false

  /// For those of the databases, the log, and what the libraries open.
  private static let reservedDescriptors: Int32 = 64

  init(on socket: ListeningSocket) throws(SystemError) {
    self.socket = socket
    try setNonBlocking(socket.descriptor.raw)
    if try socket.isTCP {
      // Whatever is accepted has it from here (tcp(7)).
      var on: Int32 = 1
      setsockopt(
        socket.descriptor.raw, Int32(IPPROTO_TCP), TCP_NODELAY, &on,
        socklen_t(MemoryLayout<Int32>.size))
    }
    descriptorLimit = raiseDescriptorLimit() - Self.reservedDescriptors
  }

  var raw: Int32 { socket.descriptor.raw }

  enum Accepted: ~Copyable {
    case connection(Descriptor, tag: UInt64)
    /// Nobody waits any more, or the one who did has gone.
    case none
    /// There is no room: not to be asked again for a while.
    case full
  }

  func accept() -> Accepted {
    let accepted = chattrix_accept(raw)
    guard accepted >= 0 else {
      return [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(errno) ? .full : .none
    }
    let connection = Descriptor(accepted)
    guard accepted < descriptorLimit else { return .full }
    generation &+= 1
    // The top bit stays clear: tags from there on are no connections.
    let tag = UInt64(generation & 0x7FFF_FFFF) << 32 | UInt64(accepted)
    return .connection(connection, tag: tag)
  }
}

/// Allows as many descriptors as the hard limit does.
/// - Returns: how many that are.
private func raiseDescriptorLimit() -> Int32 {
  var limit = rlimit()
  guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
  limit.rlim_cur = limit.rlim_max
  setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  return Int32(clamping: limit.rlim_cur)
}
