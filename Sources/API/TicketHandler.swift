// Tickets for WebSocket handshakes (contract §6.1): for clients that cannot set a header and must not put
// their JWT into a URL. They live in Redis alone; without Redis there are none.

import Calls
import JSON
import Redis
import System

struct TicketHandler {
  let redis: RedisConnection?
  let randomness: Randomness

  func issue(_ context: Context) throws -> Reply {
    try context.fields().check()
    let ticket = Ticket.make(loginEndsAt: context.loginEndsAt, randomness)
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
