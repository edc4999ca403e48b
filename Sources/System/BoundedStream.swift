// A connection whose whole life takes no longer than one deadline: connecting, sending and receiving together.

import Glibc

package struct BoundedStream: ~Copyable {
  private let descriptor: Descriptor
  private let deadline: Deadline

  /// Connects. A host name in the address is looked up first, within the resolver's own time and not this one's
  /// (resolv.conf(5)); a numeric address and a path are not looked up.
  /// - Parameter milliseconds: 1 or more, for everything.
  /// - Throws: `SystemError`; here and below ``SystemError/isTimeOut`` once the time is over.
  package init(to address: SocketAddress, withinMilliseconds milliseconds: Int32)
    throws(SystemError)
  {
    deadline = Deadline(milliseconds: milliseconds)
    descriptor = try connect(to: address, timeoutMilliseconds: milliseconds)
  }

  package borrowing func send(_ bytes: [UInt8]) throws(SystemError) {
    var sent = 0
    while sent < bytes.count {
      sent += try perform("send", POLLOUT) {
        bytes.withUnsafeBytes {
          Glibc.send(
            descriptor.raw, $0.baseAddress! + sent, $0.count - sent,
            Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        }
      }
    }
  }

  /// - Returns: How many bytes there are now at the beginning of `buffer`; 0 at the end of the stream.
  package borrowing func receive(into buffer: inout [UInt8]) throws(SystemError) -> Int {
    try perform("receive", POLLIN) {
      buffer.withUnsafeMutableBytes {
        recv(descriptor.raw, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT))
      }
    }
  }

  /// Repeats a step until it need not wait. The deadline holds also where it never has to: a far side that sends
  /// without an end does not hold the caller.
  private borrowing func perform(
    _ call: String, _ events: Int32, _ step: () -> Int
  ) throws(SystemError) -> Int {
    while !deadline.hasPassed {
      let count = step()
      if count >= 0 { return count }
      guard errno == EAGAIN || errno == EINTR else { throw SystemError(call: call) }
      var waiting = pollfd(fd: descriptor.raw, events: Int16(events), revents: 0)
      _ = poll(&waiting, 1, deadline.remainingMilliseconds)
    }
    throw SystemError(errno: ETIMEDOUT, call: call)
  }
}
