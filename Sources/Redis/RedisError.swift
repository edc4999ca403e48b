// What can go wrong between a program and Redis. Redis holds only what may be lost, so every caller
// has a way to go on without it.

package enum RedisError: Error, Equatable, CustomStringConvertible {
  /// Not to be reached, gone, or too slow. Never holds a password.
  case unavailable(String)
  /// The far side does not speak RESP2, or went over ``RESPLimits``.
  case protocolViolation(String)
  /// Redis understood and refused: its own words, such as `WRONGTYPE …`. The connection lives on.
  case refused(String)

  package var description: String {
    switch self {
    case .unavailable(let reason): "Redis is unavailable: \(reason)"
    case .protocolViolation(let reason): "Redis sent what is not RESP2: \(reason)"
    case .refused(let message): "Redis refused: \(message)"
    }
  }
}
