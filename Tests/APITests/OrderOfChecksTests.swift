// Route, JWT, rate limit, body, then the rules (contract §3), on a real database.

import API
import HTTP
import JSON
import Redis
import System
import TestServers
import Testing

@Suite(.needsServer, .database) struct OrderOfChecksTests {
  @Test("§3 an unknown route is 404 and another method 405, before any JWT")
  func routeFirst() throws {
    let service = try Service()
    #expect(service.ask(.get, "nothing", as: nil).code == "RESOURCE_NOT_FOUND")
    #expect(service.ask(.get, "nothing", as: nil).details == ["resource": "route"])
    let answer = service.ask(.get, "calls/initiate", as: nil)
    #expect(answer.status == 405)
    #expect(answer["Allow"] == "POST")
  }

  @Test("R9.1 R9.5 without a good JWT every route is 401, whatever the body is")
  func jwtBeforeBody() throws {
    let service = try Service()
    let routes: [(HTTPMethod, String)] = [
      (.post, "agora/token/generate"), (.post, "agora/token/refresh"), (.post, "calls/initiate"),
      (.get, "calls/active"), (.get, "calls/history"), (.delete, "calls/history/x"),
      (.get, "calls/statistics"), (.get, "calls/x"), (.post, "calls/x/accept"),
      (.post, "calls/x/reject"), (.post, "calls/x/end"), (.patch, "calls/x/status"),
      (.post, "calls/x/quality"), (.post, "signaling/ticket"),
    ]
    let expired = Service.token("alice", expiresIn: -31)
    for (method, target) in routes {
      for header in [
        nil, "", "Bearer", "Bearer ", "Bearer x.y.z", "Basic YTpi", "Bearer \(expired)",
        Service.token("alice"), "Bearer \(Service.token(""))", "Bearer \(Service.token("a "))",
        "Bearer \(Service.token(String(repeating: "x", count: 65)))",
      ] {
        let answer = service.ask(
          method, target, as: nil, "not JSON",
          headers: header.map { ["Authorization": $0] } ?? [:])
        #expect(answer.status == 401)
        #expect(answer.code == "AUTHENTICATION_FAILED")
        #expect(answer["WWW-Authenticate"]?.hasPrefix("Bearer") == true)
        #expect(answer["RateLimit-Limit"] == nil)
      }
    }
    #expect(!service.logFile.text.contains("eyJ"))
  }

  @Test("§2 the scheme's case and a leeway of 30 s do not matter")
  func goodTokens() throws {
    let service = try Service()
    for header in [
      "bearer \(Service.token("alice"))", "BEARER  \(Service.token("alice"))",
      "Bearer \(Service.token("alice", expiresIn: -25))",
    ] {
      let answer = service.ask(
        .get, "calls/active", as: nil, headers: ["Authorization": header])
      #expect(answer.status == 200)
      #expect(answer.data.isNull)
    }
  }

  @Test("§3 §7.7 the limit comes before the body: an invalid body counts, a 401 does not")
  func limitBeforeBody() throws {
    let server = try RedisServer()
    for redis in [nil, try server.connect()] {
      let service = try Service(
        redis: redis, environment: ["RATE_LIMIT_CALL_INITIATE": "3"])
      for _ in 0..<5 { #expect(service.ask(.post, "calls/initiate", as: nil).status == 401) }
      for left in ["2", "1", "0"] {
        let answer = service.ask(.post, "calls/initiate", as: "alice", "{")
        #expect(answer.code == "MALFORMED_JSON")
        #expect(answer["RateLimit-Limit"] == "3")
        #expect(answer["RateLimit-Remaining"] == left)
      }
      let answer = service.ask(.post, "calls/initiate", as: "alice", "{")
      #expect(answer.status == 429)
      #expect(answer.code == "RATE_LIMIT_EXCEEDED")
      let wait = try #require(answer["Retry-After"].flatMap { Int($0) })
      #expect((30...60).contains(wait))
      #expect(answer["RateLimit-Reset"] == answer["Retry-After"])
      #expect(service.ask(.post, "calls/initiate", as: "bob", "{").status == 400)
      #expect(service.ask(.get, "calls/history", as: "alice").status == 200)
    }
  }

  @Test(
    "§1 §7.11 bodies: too large, of another type, malformed, no object, absent, unknown members")
  func bodies() throws {
    let service = try Service()
    func ask(_ body: String, type: String? = "application/json") -> Answer {
      service.ask(
        .post, "calls/initiate", as: "alice", body,
        headers: type.map { ["Content-Type": $0] } ?? [:])
    }
    let padding = String(repeating: " ", count: 16_384)
    #expect(ask(padding + "{}").code == "PAYLOAD_TOO_LARGE")
    #expect(ask(padding + "{}").status == 413)
    #expect(ask(String(padding.dropLast(2)) + "{}").code == "VALIDATION_ERROR")
    for type in ["text/plain", "application/jsonp", "", "application/x-www-form-urlencoded"] {
      #expect(ask("{}", type: type).status == 415, "\(type)")
    }
    for type in ["application/json; charset=utf-8", "Application/JSON", " application/json ;x=y"] {
      #expect(ask("{}", type: type).code == "VALIDATION_ERROR", "\(type)")
    }
    for body in ["{", "{} x", "{\"a\":01}", "{\"a\":\"\u{1}\"}", "nul", "{\"a\":1,}"] {
      #expect(ask(body).code == "MALFORMED_JSON", "\(body)")
    }
    for body in ["[]", "1", "null", "\"text\""] {
      #expect(ask(body).faults == ["body": "INVALID_BODY"], "\(body)")
    }
    let absent = service.ask(.post, "calls/initiate", as: "alice")
    #expect(absent.faults == ["calleeId": "REQUIRED", "callType": "REQUIRED"])
    #expect(
      ask(#"{"calleeId": "nobody", "callType": "AUDIO", "x": {"y": [1]}, "callId": 7}"#).code
        == "RESOURCE_NOT_FOUND")
    #expect(
      service.ask(.get, "calls/history?limit=%zz", as: "alice").faults == [
        "query": "INVALID_BODY"
      ])
  }

  @Test("§7.10 a user who is not in users may not initiate, and sees an empty history")
  func unknownUser() throws {
    let service = try Service()
    let pair = try service.pair()
    let answer = service.ask(
      .post, "calls/initiate", as: "stranger",
      "{\"calleeId\": \"\(pair.callee)\", \"callType\": \"audio\"}")
    #expect(answer.status == 404)
    #expect(answer.details == ["resource": "user"])
    #expect(service.ask(.get, "calls/history", as: "stranger").data["calls"] == [])
  }

  @Test("§1 R12.5 every answer and its log line bear the request's id")
  func requestIds() throws {
    let service = try Service()
    let answer = service.ask(.get, "calls/active", as: "alice")
    #expect(answer["X-Request-Id"] == "request-1")
    #expect(answer.body["requestId"] == "request-1")
    #expect(answer.body["success"] == true)
    #expect(answer["Cache-Control"] == "no-store")
    let line = try #require(service.logFile.lines("request").last)
    #expect(line["requestId"] == "request-1")
    #expect(line["status"] == 200)
    #expect(line["route"] == "/calls/active")
    #expect(line["userId"] == "alice")
  }

  @Test("§7.9 CORS goes along with every answer, a 401 too")
  func crossOrigin() throws {
    let origin = "https://app.example.com"
    let service = try Service(environment: ["ALLOWED_ORIGINS": origin])
    let answer = service.ask(.get, "calls/active", as: nil, headers: ["Origin": origin])
    #expect(answer.status == 401)
    #expect(answer["Access-Control-Allow-Origin"] == origin)
    let preflight = service.ask(
      .options, "calls/initiate", as: nil,
      headers: ["Origin": origin, "Access-Control-Request-Method": "POST"])
    #expect(preflight.status == 204)
  }
}
