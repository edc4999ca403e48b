// Every route with the limit that the contract gives it (§4, §11.4): a new one has to be named here.

import Configuration
import Storage
import TestServers
import Testing

@testable import API

@Suite struct RouteLimitTests {
  /// As the contract has them; nil for what is never refused.
  private static let contract: [String: RateLimit?] = [
    "POST /agora/token/generate": .tokenGenerate,
    "POST /agora/token/refresh": .tokenRefresh,
    "POST /calls/initiate": .callInitiate,
    "GET /calls/active": .other,
    "GET /calls/history": .callHistory,
    "DELETE /calls/history/{callId}": .other,
    "GET /calls/history/unseen": .other,
    "POST /calls/history/seen": .other,
    "GET /calls/statistics": .other,
    "GET /calls/{callId}": .other,
    "POST /calls/{callId}/accept": .other,
    "POST /calls/{callId}/reject": nil,
    "POST /calls/{callId}/end": nil,
    "PATCH /calls/{callId}/status": .other,
    "POST /calls/{callId}/quality": .quality,
    "GET /me/availability": .other,
    "PUT /me/availability": .other,
    "POST /signaling/ticket": .ticket,
  ]

  @Test("R10 §11.4 every route has the limit that the contract says")
  func table() throws {
    let settings = APISettings(
      try Configuration(environment: TestServer.worker(database: "none")))
    let database = Database(
      try Configuration(environment: TestServer.worker(database: "none")).mysql)
    let routes = Application.routes(settings, database, nil)
    let limits = routes.map { ("\($0.method.name) \($0.pattern)", $0.limit) }
    #expect(Dictionary(uniqueKeysWithValues: limits) == Self.contract)
  }

  @Test("§11.4 a route of which nothing is said counts with the others")
  func standard() {
    #expect(Route(.get, "new") { _ in Reply { $0.null() } }.limit == .other)
  }

  @Test("R10.1–R10.3 §11.4 the contract's numbers where nothing is set, and none where 0 is")
  func numbers() throws {
    var environment = TestServer.worker(database: "none")
    let none = APISettings(try Configuration(environment: environment)).limits
    #expect(none == Dictionary(uniqueKeysWithValues: RateLimit.allCases.map { ($0, 0) }))
    for name in environment.keys where name.hasPrefix("RATE_LIMIT_") { environment[name] = nil }
    #expect(
      APISettings(try Configuration(environment: environment)).limits == [
        .tokenGenerate: 10, .tokenRefresh: 10, .callInitiate: 5, .callHistory: 20, .quality: 60,
        .ticket: 30, .other: 300,
      ])
  }
}
