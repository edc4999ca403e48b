// A ticket for one WebSocket handshake (contract §6.1, §10): random digits, and behind them the end of the
// login that it was issued for. The value of its key in Redis is the user's id.
//
// The end is a part of the ticket and not of what Redis holds: so one command writes all of it, Redis cannot lose
// the one without the other, and programs of the version before, which take the value for the user's id, can
// redeem it during an upgrade. It cannot be forged, because only the ticket as it was issued is a key.

import Calls
import System

package enum Ticket {
  package static let lifetimeSeconds = 30

  /// Hexadecimal digits of 256 random bits.
  private static let randomDigits = 64
  /// Hexadecimal digits of the login's end, in seconds since 1970.
  private static let endDigits = 16

  /// Where a ticket is kept.
  package static func key(_ ticket: String) -> String { "chattrix:ticket:\(ticket)" }

  /// - Parameter loginEndsAt: nil for a login that never ends.
  static func make(loginEndsAt: Timestamp?, _ randomness: Randomness) -> String {
    let ticket = randomness.hexadecimal(bytes: randomDigits / 2)
    guard let end = loginEndsAt else { return ticket }
    let digits = String(end.seconds, radix: 16)
    return ticket + String(repeating: "0", count: endDigits - digits.utf8.count) + digits
  }

  /// The login that a ticket was issued for.
  /// - Parameter userId: What Redis has for it. A ticket of the version before says nothing of an end.
  package static func login(_ ticket: String, userId: String) -> Login {
    let isDated = ticket.utf8.count == randomDigits + endDigits
    let end = isDated ? Int64(ticket.suffix(endDigits), radix: 16) : nil
    return Login(userId: userId, endsAtSeconds: end)
  }
}
