// A connection for commands: blocking, with every wait bounded, re-made after a failure.
//
// It belongs to one thread. After a failure that took its time the address is not tried for a second
// (RedisNodes), and where there is no other one, every command fails at once: the caller goes on without
// it. A Redis that refuses connections costs nothing, so one that was restarted is met at once.

import System

package final class RedisConnection {
  private let timeouts: RedisTimeouts
  private var nodes: RedisNodes
  private var stream: RedisStream?
  private var request: [UInt8] = []
  private let counters: CounterSlot
  private var hasConnected = false

  /// Connects with the first command.
  /// - Parameters:
  ///   - addresses: in the order in which they are tried; not empty.
  ///   - counters: Where failures are counted.
  package init(
    addresses: [RedisAddress], limits: RESPLimits = RESPLimits(),
    timeouts: RedisTimeouts = RedisTimeouts(), counters: CounterSlot = .none
  ) {
    (self.timeouts, self.counters) = (timeouts, counters)
    nodes = RedisNodes(addresses, limits: limits, timeouts: timeouts)
  }

  package convenience init(
    address: RedisAddress, limits: RESPLimits = RESPLimits(),
    timeouts: RedisTimeouts = RedisTimeouts()
  ) {
    self.init(addresses: [address], limits: limits, timeouts: timeouts)
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
    try pipeline(CollectionOfOne(arguments))
  }

  /// Sends commands in one piece and waits for all their replies (redis.io/docs/manual/pipelining).
  /// - Parameter commands: one or more.
  /// - Returns: the last one's reply.
  /// - Throws: ``RedisError``; `.refused` where a reply is an error, of several the first.
  @discardableResult
  package func pipeline(
    _ commands: some Collection<[RedisArgument]>
  ) throws(RedisError) -> RedisValue {
    do { return try exchange(commands) } catch {
      counters.add(.redisErrors)
      throw error
    }
  }

  private func exchange(
    _ commands: some Collection<[RedisArgument]>
  ) throws(RedisError) -> RedisValue {
    request.removeAll(keepingCapacity: request.capacity <= 16_384)
    for arguments in commands { RESPEncoder.encode(arguments, to: &request) }
    try makeReady()
    var reply: RedisValue
    var refused: String?
    let patience = Deadline(milliseconds: timeouts.cheapMilliseconds)
    do {
      try stream!.send(request)
      let deadline = Deadline(milliseconds: timeouts.replyMilliseconds)
      var left = commands.count
      repeat {
        reply = try stream!.reply(before: deadline)
        if case .error(let message) = reply, refused == nil { refused = message }
        left -= 1
      } while left > 0
    } catch {
      stream = nil
      if patience.hasPassed { nodes.failed(error) }
      throw error
    }
    if let refused { throw refusal(refused) }
    return reply
  }

  /// A server that takes no commands, or no writes, counts as away (contract §7.14): the next command
  /// finds another one, where a name or an address stands for whichever is well.
  private func refusal(_ message: String) -> RedisError {
    let error = RedisError(reply: message)
    if case .unavailable = error {
      stream = nil
      nodes.refused(error)
    }
    return error
  }

  private func makeReady() throws(RedisError) {
    // A server that was restarted between two commands is met again without an error.
    if stream?.isStale != false || nodes.isWorthLeaving {
      stream = nil
      stream = try nodes.open()
      if hasConnected { counters.add(.redisReconnections) }
      hasConnected = true
    }
  }
}
