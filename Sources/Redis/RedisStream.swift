// The bytes between this program and Redis: one connected socket with bounded waits, and the replies
// in what it brings.

import Glibc
import System

/// How long each step may take, in milliseconds.
package struct RedisTimeouts: Sendable {
  package var connectMilliseconds: Int32 = 250
  package var replyMilliseconds: Int32 = 500
  /// A failure that took less time is none to be spared.
  package var cheapMilliseconds: Int32 = 50
  /// After any other nothing is tried for as long, so that a dead Redis costs a request nothing.
  package var backOffMilliseconds: Int32 = 1000
  /// After so long with another address than the first, those before it are tried again.
  package var settledMilliseconds: Int32 = 15_000

  package init() {}
}

struct RedisStream: ~Copyable {
  private let descriptor: Descriptor
  private var decoder: RESPDecoder

  private init(_ descriptor: consuming Descriptor, _ limits: RESPLimits) {
    self.descriptor = descriptor
    decoder = RESPDecoder(limits: limits)
  }

  /// Connects, authenticates and selects the database.
  /// - Parameter refusesReplicas: Whether a replica, which takes no writes and whose PUBLISH reaches no
  ///   other server, counts as away.
  static func open(
    _ address: RedisAddress, limits: RESPLimits, timeouts: RedisTimeouts, refusesReplicas: Bool
  ) throws(RedisError) -> RedisStream {
    var stream = RedisStream(try connected(to: address.socket, timeouts), limits)
    stream.setTimeout(SO_RCVTIMEO, milliseconds: timeouts.replyMilliseconds)
    stream.setTimeout(SO_SNDTIMEO, milliseconds: timeouts.replyMilliseconds)
    let deadline = Deadline(milliseconds: timeouts.replyMilliseconds)
    if let password = address.password {
      let names = address.user.map { [RedisArgument($0)] } ?? []
      try stream.prepare(["AUTH"] + names + [RedisArgument(password)], before: deadline)
    }
    if address.database != 0 {
      try stream.prepare(["SELECT", RedisArgument(address.database)], before: deadline)
    }
    if refusesReplicas { try stream.refuseReplica(before: deadline) }
    return stream
  }

  private static func connected(
    to address: SocketAddress, _ timeouts: RedisTimeouts
  ) throws(RedisError) -> Descriptor {
    do {
      return try connect(to: address, timeoutMilliseconds: timeouts.connectMilliseconds)
    } catch { throw .unavailable(error.description) }
  }

  private borrowing func setTimeout(_ option: Int32, milliseconds: Int32) {
    var time = timeval(
      tv_sec: Int(milliseconds) / 1000, tv_usec: Int(milliseconds) % 1000 * 1000)
    setsockopt(descriptor.raw, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
  }

  private mutating func prepare(
    _ arguments: [RedisArgument], before deadline: Deadline
  ) throws(RedisError) {
    var bytes: [UInt8] = []
    RESPEncoder.encode(arguments, to: &bytes)
    try send(bytes)
    // A refusal here (a wrong password, no such database) leaves no connection to work with.
    if case .error(let message) = try reply(before: deadline) { throw .unavailable(message) }
  }

  /// A user who may not ask (ACL) is served by whatever is there.
  private mutating func refuseReplica(before deadline: Deadline) throws(RedisError) {
    var bytes: [UInt8] = []
    RESPEncoder.encode(["ROLE"], to: &bytes)
    try send(bytes)
    let role = try reply(before: deadline).elements?.first?.bytes
    if role == Array("slave".utf8) { throw .unavailable("a replica") }
  }

  borrowing func send(_ bytes: [UInt8]) throws(RedisError) {
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.send(
          descriptor.raw, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
      }
      if count < 0 {
        if errno == EINTR { continue }
        throw Self.failure("send")
      }
      sent += count
    }
  }

  /// The next reply, waited for until `deadline` and at most one reply time-out beyond it.
  mutating func reply(before deadline: Deadline) throws(RedisError) -> RedisValue {
    while true {
      if let value = try decoder.next() { return value }
      try receive(flags: 0)
      if deadline.hasPassed { throw .unavailable("no whole reply in time") }
    }
  }

  /// The next reply, or nil where none is whole within a time, or before another descriptor is readable.
  mutating func reply(
    withinMilliseconds limit: Int32, orReadable other: Int32 = -1
  ) throws(RedisError) -> RedisValue? {
    if let value = try decoder.next() { return value }
    guard isReadable(withinMilliseconds: limit, orReadable: other) else { return nil }
    try receive(flags: Int32(MSG_DONTWAIT))
    return try decoder.next()
  }

  /// Whether the far side has closed, or sent what nobody asked for, while nothing was going on.
  var isStale: Bool { !decoder.isEmpty || isReadable(withinMilliseconds: 0) }

  /// - Parameter other: a descriptor that ends the wait as well; a negative one poll(2) leaves out.
  private borrowing func isReadable(
    withinMilliseconds limit: Int32, orReadable other: Int32 = -1
  ) -> Bool {
    let wanted = Int16(POLLIN)
    var both: InlineArray<2, pollfd> = [
      pollfd(fd: descriptor.raw, events: wanted, revents: 0),
      pollfd(fd: other, events: wanted, revents: 0),
    ]
    var span = both.mutableSpan
    _ = span.withUnsafeMutableBufferPointer { poll($0.baseAddress!, 2, limit) }
    return both[0].revents != 0
  }

  private mutating func receive(flags: Int32) throws(RedisError) {
    var count = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: 16_384) { buffer, filled in
      count = recv(descriptor.raw, buffer.baseAddress, buffer.count, flags)
      filled = max(count, 0)
    }
    if count == 0 { throw .unavailable("closed by the far side") }
    if count < 0 {
      if errno == EINTR { return }
      throw Self.failure("receive")
    }
    decoder.feed(bytes.span)
  }

  private static func failure(_ call: String) -> RedisError {
    errno == EAGAIN ? .unavailable("\(call) timed out") : .unavailable("\(SystemError(call: call))")
  }
}
