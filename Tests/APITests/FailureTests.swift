// What a client sees, and what the log says, when something breaks (R3.5, R4.5, R12.4, contract §3).

import AgoraToken
import Calls
import HTTP
import JSON
import MySQL
import Storage
import System
import TestServers
import Testing

@testable import API

@Suite(.needsServer, .database, .serialized) struct FailureTests {
  private let service: Service

  init() throws { service = try Service() }

  /// Runs `body` while a table is away.
  private func without(_ table: String, _ body: () throws -> Void) throws {
    try service.connection.run("RENAME TABLE \(table) TO \(table)_away")
    defer { try? service.connection.run("RENAME TABLE \(table)_away TO \(table)") }
    try body()
  }

  /// - Parameter statement: What the statement's text has to have in it: the routine, where one wrote.
  private func expectInternal(
    _ answer: Answer, code: String, naming table: String, statement: String
  ) throws {
    #expect(answer.status == 500)
    #expect(answer.code == code)
    #expect(answer.body["success"] == false)
    #expect(answer.body["requestId"] == "request-1")
    #expect(answer.details == nil)
    let body = String(decoding: answer.response.body, as: UTF8.self)
    for internals in [table, "SELECT", "INSERT", "MySQL", "Swift", ".swift", "0x"] {
      #expect(!body.contains(internals), "\(internals)")
    }
    let line = try #require(service.logFile.lines("internal_error").last)
    #expect(line["level"] == "error")
    #expect(line["requestId"] == "request-1")
    #expect(line["error"]?.stringValue?.contains(table) == true)
    #expect(line["sql"]?.stringValue?.contains(statement) == true)
    let trace = try #require(line["backtrace"]?.arrayValue)
    #expect(trace.count > 5)
    #expect(trace.allSatisfy { $0.stringValue?.isEmpty == false })
  }

  @Test(
    "R3.5 R4.5 without token_audit no token is given: TOKEN_GENERATION_FAILED, TOKEN_REFRESH_FAILED"
  )
  func tokens() throws {
    let pair = try service.pair()
    let call = try service.connect(pair)
    let channel = "{\"channelId\": \"\(call.channelId)\"}"
    let token = try #require(
      service.ask(.post, "agora/token/generate", as: pair.caller, channel).data["token"]?
        .stringValue)
    try without("token_audit") {
      let generated = service.ask(.post, "agora/token/generate", as: pair.caller, channel)
      try expectInternal(
        generated, code: "TOKEN_GENERATION_FAILED", naming: "token_audit",
        statement: "issue_token_1")
      let refreshed = service.ask(
        .post, "agora/token/refresh", as: pair.caller,
        "{\"channelId\": \"\(call.channelId)\", \"oldToken\": \"\(token)\"}")
      try expectInternal(
        refreshed, code: "TOKEN_REFRESH_FAILED", naming: "token_audit", statement: "issue_token_1")
      #expect(!service.logFile.text.contains(token))
    }
    #expect(service.ask(.post, "agora/token/generate", as: pair.caller, channel).status == 200)
    // A refusal is no failure.
    #expect(
      service.ask(.post, "agora/token/generate", as: "stranger", channel).code
        == "UNAUTHORIZED_ACCESS")
  }

  @Test("R12.4 a 500 has a backtrace in the log, and no internals in the body")
  func internalError() throws {
    let pair = try service.pair()
    let body = "{\"calleeId\": \"\(pair.callee)\", \"callType\": \"audio\"}"
    try without("call_events") {
      let answer = service.ask(.post, "calls/initiate", as: pair.caller, body)
      try expectInternal(
        answer, code: "INTERNAL_SERVER_ERROR", naming: "call_events", statement: "initiate_call_1")
    }
    try without("call_history") {
      let answer = service.ask(.get, "calls/history", as: pair.caller)
      try expectInternal(
        answer, code: "INTERNAL_SERVER_ERROR", naming: "call_history", statement: "call_history")
    }
    // Nothing is left of the half.
    #expect(try service.calls.active(of: pair.caller) == nil)
    #expect(service.ask(.post, "calls/initiate", as: pair.caller, body).status == 201)
  }

  @Test("§3 without the database: 503 SERVICE_UNAVAILABLE with Retry-After, and no backtrace")
  func unavailable() throws {
    var mysql = TestDatabase.current.options
    mysql.socket = "/nonexistent/mariadb.sock"
    let away = try Service(mysql: mysql)
    for (method, target, body) in [
      (HTTPMethod.get, "calls/active", nil), (.get, "calls/history", nil),
      (.post, "agora/token/generate", #"{"channelId": "x"}"#),
      (.post, "calls/initiate", #"{"calleeId": "b", "callType": "audio"}"#),
    ] {
      let answer = away.ask(method, target, as: "alice", body)
      #expect(answer.status == 503)
      #expect(answer.code == "SERVICE_UNAVAILABLE")
      #expect(answer["Retry-After"] == "1")
    }
    #expect(away.logFile.lines("database_unavailable").count == 4)
    #expect(away.logFile.lines("internal_error").isEmpty)
    // What needs no database is answered all the same.
    #expect(away.ask(.get, "calls/active", as: nil).status == 401)
    #expect(away.ask(.post, "calls/initiate", as: "alice", "{}").status == 400)
  }

  @Test("§6.1 without Redis there are no tickets: 503; calls work all the same")
  func noRedis() throws {
    #expect(service.ask(.post, "signaling/ticket", as: "alice").status == 503)
    let server = try RedisServer()
    let redis = try server.connect()
    let service = try Service(redis: try server.connect())
    let before = Timestamp.now().seconds
    let answer = service.ask(.post, "signaling/ticket", as: "alice")
    let after = Timestamp.now().seconds
    let ticket = try #require(answer.data["ticket"]?.stringValue)
    #expect(
      try redis.command("GET", .init("chattrix:ticket:\(ticket)")).bytes == Array("alice".utf8))
    // Its `exp` and the leeway of 30 s.
    let end = try #require(Ticket.login(ticket, userId: "alice").endsAt?.seconds)
    #expect((before + 630...after + 630).contains(end))
    let left = try redis.command("TTL", .init("chattrix:ticket:\(ticket)")).integerValue ?? 0
    #expect((1...30).contains(left))
    #expect(answer.data["expiresAt"]?.stringValue != nil)
    #expect(!service.logFile.text.contains(ticket))
    server.stop()
    #expect(service.ask(.post, "signaling/ticket", as: "alice").status == 503)
    let pair = try service.pair()
    let call = try service.connect(pair)
    let quality = service.ask(
      .post, "calls/\(call.id)/quality", as: pair.caller, #"{"networkQuality": "BAD"}"#)
    #expect(quality.status == 200)
  }

  @Test("R7.5 the latest sample is kept in Redis for five minutes")
  func qualityCache() throws {
    let server = try RedisServer()
    let redis = try server.connect()
    let service = try Service(redis: try server.connect())
    let pair = try service.pair()
    let call = try service.connect(pair)
    for quality in ["good", "VERY_BAD"] {
      let answer = service.ask(
        .post, "calls/\(call.id)/quality", as: pair.caller,
        "{\"networkQuality\": \"\(quality)\", \"packetLossRate\": 0.5, \"roundTripTime\": 120}")
      #expect(answer.status == 200)
    }
    let key = "call:\(call.id):quality:\(pair.caller)"
    let kept = try JSONParser.parse(try #require(try redis.command("GET", .init(key)).bytes))
    #expect(kept["networkQuality"] == "veryBad")
    #expect(kept["packetLossRate"] == 0.5)
    #expect(kept["roundTripTime"] == 120)
    let left = try redis.command("TTL", .init(key)).integerValue ?? 0
    #expect((200...300).contains(left))
  }
}
