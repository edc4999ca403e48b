// What can go wrong between a program and Redis. Redis holds only what may be lost, so every caller
// has a way to go on without it.

package enum RedisError: Error, Equatable, CustomStringConvertible {
  /// Not to be reached, gone, or too slow. Never holds a password.
  case unavailable(String)
  /// The far side does not speak RESP2, or went over ``RESPLimits``.
  case protocolViolation(String)
  /// Redis understood and refused: its own words, such as `WRONGTYPE …`. The connection of a command lives on, a
  /// subscriber's is made again.
  case refused(String)

  /// What an error in Redis' own words is.
  init(reply message: String) {
    self = Self.saysAway(message) ? .unavailable(message) : .refused(message)
  }

  /// What Redis answers while it cannot serve: loading its data set, a replica, a replica without its
  /// master, without a cluster or enough replicas, unable to persist, or out of memory (redis.io,
  /// "Redis serialization protocol", error prefixes). An error within a script has the word behind a dash.
  private static func saysAway(_ message: String) -> Bool {
    let text = Array(message.utf8)
    return awayWords.contains { word in
      let word = Array("\(word) ".utf8)
      return text.starts(with: word)
        || text.indices.contains {
          text[$0] == UInt8(ascii: "-") && text[($0 + 1)...].starts(with: word)
        }
    }
  }

  private static let awayWords = [
    "LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "NOREPLICAS", "MISCONF", "OOM", "BUSY",
    "TRYAGAIN",
  ]

  package var description: String {
    switch self {
    case .unavailable(let reason): "Redis is unavailable: \(reason)"
    case .protocolViolation(let reason): "Redis sent what is not RESP2: \(reason)"
    case .refused(let message): "Redis refused: \(message)"
    }
  }
}
