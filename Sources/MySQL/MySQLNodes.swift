// The nodes of a cluster: the first that serves is connected to, and one that was found not to serve is
// tried last for a while, so that not every connection waits for it.

import System

package struct MySQLNodes {
  private let options: MySQLOptions
  /// By address, in milliseconds of the monotonic clock: until then it is tried last.
  private var avoidedUntil: [Int64]
  /// The address that the latest connection was made to.
  private var current = 0

  private static let avoidanceMilliseconds: Int64 = 15_000
  /// After this time no further address is tried: a request waits for its answer.
  private static let patienceMilliseconds: Int64 = 4500

  package init(_ options: MySQLOptions) {
    self.options = options
    avoidedUntil = Array(repeating: 0, count: options.socket == nil ? options.addresses.count : 1)
  }

  package var count: Int { avoidedUntil.count }

  /// Connects to the first address that can be connected to.
  /// - Throws: `MySQLError`: the last address's, or one that no other address would spare.
  package mutating func connect() throws(MySQLError) -> MySQLConnection {
    let begin = MonotonicClock.milliseconds()
    var failure: MySQLError?
    for index in order(at: begin) {
      do throws(MySQLError) {
        let connection = try MySQLConnection(options, at: options.addresses[index])
        (current, avoidedUntil[index]) = (index, 0)
        return connection
      } catch {
        guard error.isUnavailable else { throw error }
        failure = error
        avoid(index)
        if MonotonicClock.milliseconds() - begin > Self.patienceMilliseconds { break }
      }
    }
    throw failure!
  }

  /// The connection made last has failed with this error: where that is the node's fault, the next
  /// one is made to another node.
  package mutating func failed(_ error: MySQLError) {
    if error.isOfNode { avoid(current) }
  }

  private mutating func avoid(_ index: Int) {
    avoidedUntil[index] = MonotonicClock.milliseconds() + Self.avoidanceMilliseconds
  }

  /// Those that serve as listed; behind them the others, the one first that was tried longest ago.
  private func order(at now: Int64) -> [Int] {
    let isAvoided = { avoidedUntil[$0] > now }
    return avoidedUntil.indices.filter { !isAvoided($0) }
      + avoidedUntil.indices.filter(isAvoided).sorted { avoidedUntil[$0] < avoidedUntil[$1] }
  }
}
