// A ticket for one WebSocket handshake (contract §6.1): for clients that cannot set a header and
// must not put their JWT into a URL. It lives in Redis alone; without Redis there are none.

import Calls
import JSON
import Redis
import System

package enum Ticket {
  package static let lifetimeSeconds = 30

  /// Where a ticket is kept; the value is the user's id.
  package static func key(_ ticket: String) -> String { "chattrix:ticket:\(ticket)" }

  /// 256 random bits in hexadecimal.
  package static let length = 64
}

struct TicketHandler {
  let redis: RedisConnection?
  let randomness: Randomness

  func issue(_ context: Context) throws -> Reply {
    try context.fields().check()
    let ticket = randomness.hexadecimal(bytes: Ticket.length / 2)
    let expiresAt = Timestamp.now().adding(seconds: Int64(Ticket.lifetimeSeconds))
    let reply = try? redis?.command([
      "SETEX", .init(Ticket.key(ticket)), .init(String(Ticket.lifetimeSeconds)),
      .init(context.userId),
    ])
    guard case .simple = reply else { throw CallError.serviceUnavailable }
    return .object { json in
      json.member("ticket", ticket)
      json.member("expiresAt", expiresAt.iso8601)
    }
  }
}
