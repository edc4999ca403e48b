// Tickets carry the end of the login that they were issued for (contract §10).

import Calls
import JSON
import Redis
import System
import TestServers
import Testing

@testable import API

@Suite struct TicketTests {
  private let randomness = Randomness { Array(repeating: 0xAB, count: $0) }

  @Test(arguments: [nil, 0, 1, 1_800_000_000, 253_402_300_799] as [Int64?])
  func theEndIsInIt(seconds: Int64?) {
    let login = Login(userId: "alice", endsAtSeconds: seconds)
    let ticket = Ticket.make(loginEndsAt: login.endsAt, randomness)
    #expect(ticket.hasPrefix(String(repeating: "ab", count: 32)))
    #expect(ticket.utf8.count == (seconds == nil ? 64 : 80))
    #expect(ticket.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) })
    #expect(Ticket.login(ticket, userId: "alice") == login)
  }

  @Test("§10 a ticket of the version before, 64 digits, has no end")
  func old() {
    let ticket = String(repeating: "0123456789abcdef", count: 4)
    #expect(
      Ticket.login(ticket, userId: "b\u{fc}rk").endsAt == nil)
    #expect(Ticket.login(ticket, userId: "alice").userId == "alice")
  }

  @Test func anEndThatNoTimeCanSayIsNone() {
    for seconds: Int64 in [253_402_300_800, .max] {
      #expect(Login(userId: "a", endsAtSeconds: seconds).endsAt == nil)
    }
  }
}
