// A connection that listens to one channel (redis.io/docs/interact/pubsub): blocking, for a thread of
// its own, re-made after a failure. What is published while it is down is lost; a reader of hints
// looks for itself then.

import Glibc
import System

package final class RedisSubscriber {
  /// A far side that has gone without a word is noticed by a PING after so long a silence, and is
  /// given up after as long again.
  private static let silenceMilliseconds: Int32 = 10_000

  private let channel: String
  private let timeouts: RedisTimeouts
  private let counters: CounterSlot
  private var hasConnected = false
  private var nodes: RedisNodes
  private var stream: RedisStream?
  private var backOff: Deadline?
  private var silence = Deadline(milliseconds: 0)
  private var pingIsOut = false

  /// Connects with the first call of ``next(timeoutMilliseconds:)``.
  /// - Parameters:
  ///   - addresses: in the order in which they are tried; not empty.
  ///   - counters: Where failures are counted.
  package init(
    addresses: [RedisAddress], channel: String, limits: RESPLimits = RESPLimits(),
    timeouts: RedisTimeouts = RedisTimeouts(), counters: CounterSlot = .none
  ) {
    self.channel = channel
    (self.timeouts, self.counters) = (timeouts, counters)
    nodes = RedisNodes(addresses, limits: limits, timeouts: timeouts)
  }

  package convenience init(
    address: RedisAddress, channel: String, limits: RESPLimits = RESPLimits(),
    timeouts: RedisTimeouts = RedisTimeouts()
  ) {
    self.init(addresses: [address], channel: channel, limits: limits, timeouts: timeouts)
  }

  /// Whether the channel is being listened to.
  package var isConnected: Bool { stream != nil }

  /// The next message, or nil where none came in time.
  ///
  /// After a failure it waits out the back-off within the calls that follow, so a loop around it
  /// needs no pause of its own.
  /// - Throws: ``RedisError``, once per failure.
  package func next(timeoutMilliseconds: Int32) throws(RedisError) -> [UInt8]? {
    if let backOff {
      let rest = min(backOff.remainingMilliseconds, timeoutMilliseconds)
      if rest > 0 { usleep(UInt32(rest) * 1000) }
      if !backOff.hasPassed { return nil }
      self.backOff = nil
    }
    do {
      if stream == nil || nodes.isWorthLeaving { try subscribe() }
      return try message(timeoutMilliseconds)
    } catch {
      stream = nil
      backOff = Deadline(milliseconds: timeouts.backOffMilliseconds)
      counters.add(.redisErrors)
      throw error
    }
  }

  private func subscribe() throws(RedisError) {
    stream = nil
    var fresh = try nodes.open()
    try fresh.send(Self.encoded(["SUBSCRIBE", RedisArgument(channel)]))
    let reply = try fresh.reply(before: Deadline(milliseconds: timeouts.replyMilliseconds))
    if case .error(let message) = reply { throw .unavailable(message) }
    stream = consume fresh
    if hasConnected { counters.add(.redisReconnections) }
    hasConnected = true
    heard()
  }

  /// Waits for a message; confirmations and answers to PING only show that the far side lives.
  private func message(_ timeoutMilliseconds: Int32) throws(RedisError) -> [UInt8]? {
    let deadline = Deadline(milliseconds: timeoutMilliseconds)
    repeat {
      try probe()
      let wait = min(deadline.remainingMilliseconds, max(silence.remainingMilliseconds, 1))
      guard let value = try stream!.reply(withinMilliseconds: wait) else { continue }
      heard()
      if let parts = value.elements, parts.count == 3, parts[0].bytes == Array("message".utf8) {
        return parts[2].bytes
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
