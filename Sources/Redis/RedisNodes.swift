// Where Redis may be: the first address that serves is connected to. One that took its time to fail is
// not tried for a second (RedisTimeouts), because what Redis holds is never worth holding up a call.

import System

struct RedisNodes {
  private let addresses: [RedisAddress]
  private let limits: RESPLimits
  private let timeouts: RedisTimeouts
  /// By address.
  private var backOffs: [(until: Deadline, cause: RedisError)?]
  /// What the latest connection was made to.
  private var current = 0
  private var isSettled = Deadline(milliseconds: 0)

  init(_ addresses: [RedisAddress], limits: RESPLimits, timeouts: RedisTimeouts) {
    (self.addresses, self.limits, self.timeouts) = (addresses, limits, timeouts)
    backOffs = Array(repeating: nil, count: addresses.count)
  }

  /// Whether it is time to look at the addresses before the one in use again: programs that use different
  /// servers share neither limits nor hints.
  var isWorthLeaving: Bool { current > 0 && isSettled.hasPassed }

  /// - Throws: ``RedisError``: the last address's.
  mutating func open() throws(RedisError) -> RedisStream {
    var cause = RedisError.unavailable("no address")
    for index in addresses.indices {
      if let backOff = backOffs[index] {
        if !backOff.until.hasPassed {
          cause = backOff.cause
          continue
        }
        backOffs[index] = nil
      }
      let patience = Deadline(milliseconds: timeouts.cheapMilliseconds)
      do throws(RedisError) {
        let stream = try RedisStream.open(
          addresses[index], limits: limits, timeouts: timeouts,
          refusesReplicas: addresses.count > 1)
        current = index
        isSettled = Deadline(milliseconds: timeouts.settledMilliseconds)
        return stream
      } catch {
        if patience.hasPassed { backOff(index, error) }
        cause = error
      }
    }
    throw cause
  }

  /// The connection made last has failed, after its time.
  mutating func failed(_ cause: RedisError) { backOff(current, cause) }

  /// The server of the connection made last takes no commands, or no writes. The only one is asked again at
  /// once, because it may be well by then.
  mutating func refused(_ cause: RedisError) {
    if addresses.count > 1 { backOff(current, cause) }
  }

  private mutating func backOff(_ index: Int, _ cause: RedisError) {
    backOffs[index] = (Deadline(milliseconds: timeouts.backOffMilliseconds), cause)
  }
}
