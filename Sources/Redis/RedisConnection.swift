// A connection for commands: blocking, with every wait bounded, re-made after a failure.
//
// It belongs to one thread. After a failure that took its time it fails at once for a second
// (RedisTimeouts), because what Redis holds is never worth holding up a call: the caller goes on without
// it. A Redis that refuses connections costs nothing, so one that was restarted is met at once.

import System

package final class RedisConnection {
  private let address: RedisAddress
  private let limits: RESPLimits
  private let timeouts: RedisTimeouts
  private var stream: RedisStream?
  private var backOff: (until: Deadline, cause: RedisError)?
  private var request: [UInt8] = []

  /// Connects with the first command.
  package init(
    address: RedisAddress, limits: RESPLimits = RESPLimits(),
    timeouts: RedisTimeouts = RedisTimeouts()
  ) {
    self.address = address
    self.limits = limits
    self.timeouts = timeouts
  }

  /// Sends a command and waits for its reply.
  ///
  /// A command is never sent twice: whether it was carried out when its reply did not come is not
  /// known.
  /// - Throws: ``RedisError``; `.refused` where the reply is an error.
  package func command(_ arguments: RedisArgument...) throws(RedisError) -> RedisValue {
    try command(arguments)
  }

  package func command(_ arguments: [RedisArgument]) throws(RedisError) -> RedisValue {
    request.removeAll(keepingCapacity: request.capacity <= 16_384)
    RESPEncoder.encode(arguments, to: &request)
    let reply: RedisValue
    let patience = Deadline(milliseconds: timeouts.cheapMilliseconds)
    do {
      try makeReady()
      try stream!.send(request)
      reply = try stream!.reply(before: Deadline(milliseconds: timeouts.replyMilliseconds))
    } catch {
      fail(error, isCheap: !patience.hasPassed)
      throw error
    }
    if case .error(let message) = reply { throw refusal(message) }
    return reply
  }

  /// A server that takes no commands, or no writes, counts as away (contract §7.14): the next command
  /// finds another one, where a name or an address stands for whichever is well.
  private func refusal(_ message: String) -> RedisError {
    guard RedisError.saysAway(message) else { return .refused(message) }
    stream = nil
    return .unavailable(message)
  }

  private func makeReady() throws(RedisError) {
    if let backOff {
      if !backOff.until.hasPassed { throw backOff.cause }
      self.backOff = nil
    }
    // A server that was restarted between two commands is met again without an error.
    if stream?.isStale != false {
      stream = nil
      stream = try RedisStream.open(address, limits: limits, timeouts: timeouts)
    }
  }

  private func fail(_ cause: RedisError, isCheap: Bool) {
    stream = nil
    if backOff == nil, !isCheap {
      backOff = (Deadline(milliseconds: timeouts.backOffMilliseconds), cause)
    }
  }
}
