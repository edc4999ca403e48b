// A connection that listens to channels (redis.io/docs/interact/pubsub): blocking, for a thread of its own,
// re-made after a failure. What is published while it is down is lost; a reader of hints looks for itself
// then.

import Glibc
import System

/// What comes of listening.
package enum RedisNotice: Sendable, Equatable {
  /// A connection was made, the first or another one, which listens to the channels that it was made with
  /// and to no others.
  case connected
  case message(channel: [UInt8], [UInt8])
}

package final class RedisSubscriber {
  /// A far side that has gone without a word is noticed by a PING after so long a silence, and is
  /// given up after as long again.
  private static let silenceMilliseconds: Int32 = 10_000

  private let channels: [String]
  private let timeouts: RedisTimeouts
  private let counters: CounterSlot
  private var hasConnected = false
  private var nodes: RedisNodes
  private var stream: RedisStream?
  private var backOff: Deadline?
  private var silence = Deadline(milliseconds: 0)
  private var pingIsOut = false

  /// Connects with the first call of ``next(timeoutMilliseconds:orReadable:)``.
  /// - Parameters:
  ///   - addresses: in the order in which they are tried; not empty.
  ///   - channels: What each connection listens to from its beginning.
  ///   - counters: Where failures are counted.
  package init(
    addresses: [RedisAddress], channels: [String] = [], limits: RESPLimits = RESPLimits(),
    timeouts: RedisTimeouts = RedisTimeouts(), counters: CounterSlot = .none
  ) {
    (self.channels, self.timeouts, self.counters) = (channels, timeouts, counters)
    nodes = RedisNodes(addresses, limits: limits, timeouts: timeouts)
  }

  /// Whether there is a connection.
  package var isConnected: Bool { stream != nil }

  /// What comes next, or nil where nothing does in time.
  ///
  /// After a failure it waits out the back-off within the calls that follow, so a loop around it
  /// needs no pause of its own.
  /// - Parameter other: A descriptor that ends the wait when it is readable; negative where there is none.
  /// - Throws: ``RedisError``, once per failure; `.refused` where the user may not listen to a channel.
  package func next(
    timeoutMilliseconds: Int32, orReadable other: Int32 = -1
  ) throws(RedisError) -> RedisNotice? {
    if let backOff {
      let rest = min(backOff.remainingMilliseconds, timeoutMilliseconds)
      if rest > 0 { usleep(UInt32(rest) * 1000) }
      if !backOff.hasPassed { return nil }
      self.backOff = nil
    }
    do {
      if stream == nil || nodes.isWorthLeaving {
        try connect()
        return .connected
      }
      return try message(timeoutMilliseconds, other)
    } catch { throw failed(error) }
  }

  /// Listens to these channels too, for as long as the connection lasts; without one it does nothing.
  /// - Throws: ``RedisError``.
  package func subscribe(to channels: [String]) throws(RedisError) {
    try send("SUBSCRIBE", channels)
  }

  /// Listens to these channels no longer.
  /// - Throws: ``RedisError``.
  package func unsubscribe(from channels: [String]) throws(RedisError) {
    try send("UNSUBSCRIBE", channels)
  }

  private func send(_ command: RedisArgument, _ channels: [String]) throws(RedisError) {
    if stream == nil || channels.isEmpty { return }
    do { try stream!.send(Self.encoded([command] + channels.map { RedisArgument($0) })) } catch {
      throw failed(error)
    }
  }

  private func failed(_ error: RedisError) -> RedisError {
    stream = nil
    backOff = Deadline(milliseconds: timeouts.backOffMilliseconds)
    counters.add(.redisErrors)
    return error
  }

  private func connect() throws(RedisError) {
    stream = nil
    var fresh = try nodes.open()
    let first: [RedisArgument] =
      channels.isEmpty ? ["PING"] : ["SUBSCRIBE"] + channels.map { RedisArgument($0) }
    try fresh.send(Self.encoded(first))
    let reply = try fresh.reply(before: Deadline(milliseconds: timeouts.replyMilliseconds))
    if case .error(let message) = reply { throw RedisError(reply: message) }
    stream = consume fresh
    if hasConnected { counters.add(.redisReconnections) }
    hasConnected = true
    heard()
  }

  /// Waits for a message; confirmations and answers to PING only show that the far side lives.
  private func message(
    _ timeoutMilliseconds: Int32, _ other: Int32
  ) throws(RedisError) -> RedisNotice? {
    let deadline = Deadline(milliseconds: timeoutMilliseconds)
    repeat {
      try probe()
      let wait = min(deadline.remainingMilliseconds, max(silence.remainingMilliseconds, 1))
      guard let value = try stream!.reply(withinMilliseconds: wait, orReadable: other) else {
        if other < 0 { continue }
        return nil
      }
      heard()
      if case .error(let message) = value { throw RedisError(reply: message) }
      if let parts = value.elements, parts.count == 3, parts[0].bytes == Array("message".utf8),
        let channel = parts[1].bytes, let message = parts[2].bytes
      {
        return .message(channel: channel, message)
      }
    } while !deadline.hasPassed
    return nil
  }

  private func probe() throws(RedisError) {
    guard silence.hasPassed else { return }
    if pingIsOut { throw .unavailable("silent, a PING included") }
    try stream!.send(Self.encoded(["PING"]))
    silence = Deadline(milliseconds: Self.silenceMilliseconds)
    pingIsOut = true
  }

  private func heard() {
    silence = Deadline(milliseconds: Self.silenceMilliseconds)
    pingIsOut = false
  }

  private static func encoded(_ arguments: [RedisArgument]) -> [UInt8] {
    var bytes: [UInt8] = []
    RESPEncoder.encode(arguments, to: &bytes)
    return bytes
  }
}
