// Calls and histories as JSON (contract §4): what the tests of the storage do not see.

import Calls
import HTTP
import JSON
import Storage
import System
import TestServers
import Testing

@Suite(.needsServer, .database) struct CallEndpointTests {
  private let service: Service

  init() throws { service = try Service() }

  private func initiate(
    _ pair: (caller: String, callee: String), key: String? = nil, type: String = "VIDEO"
  ) -> Answer {
    service.ask(
      .post, "calls/initiate", as: pair.caller,
      "{\"calleeId\": \"\(pair.callee)\", \"callType\": \"\(type)\", \"callId\": \"mine\"}",
      headers: key.map { ["Idempotency-Key": $0] } ?? [:])
  }

  @Test("R1.2 initiate answers 201 with the whole call")
  func initiated() throws {
    let pair = try service.pair()
    let answer = initiate(pair)
    #expect(answer.status == 201)
    let call = try #require(
      try service.calls.find(answer.data["callId"]?.stringValue ?? ""))
    #expect(
      answer.data == [
        "callId": .string(call.id), "channelId": .string(call.channelId),
        "callerId": .string(pair.caller), "callerName": .string("U \(pair.caller)"),
        "callerAvatar": nil, "calleeId": .string(pair.callee),
        "calleeName": .string("U \(pair.callee)"), "calleeAvatar": nil, "callType": "video",
        "status": "initiating", "createdAt": .string(call.createdAt.iso8601),
        "expiresAt": .string(call.expiresAt.iso8601),
      ])
  }

  @Test("§4 a repeated initiate is 200, marked, and the same to the letter")
  func replayed() throws {
    let pair = try service.pair()
    let first = initiate(pair, key: "key 1")
    #expect(first.status == 201)
    #expect(first["Idempotency-Replayed"] == nil)
    let second = initiate(pair, key: "key 1")
    #expect(second.status == 200)
    #expect(second["Idempotency-Replayed"] == "true")
    #expect(second.data == first.data)
    #expect(initiate(pair, key: "key 1", type: "audio").code == "IDEMPOTENCY_KEY_REUSED")
    for key in ["", String(repeating: "x", count: 65), "é", "a\u{7F}", "a\tb"] {
      #expect(
        initiate(pair, key: key).faults == ["Idempotency-Key": "INVALID_IDEMPOTENCY_KEY"])
    }
  }

  @Test("§3 nobody calls themselves, by whichever spelling of a number")
  func selfCall() throws {
    let answer = service.ask(
      .post, "calls/initiate", as: "12", #"{"calleeId": 12, "callType": "audio"}"#)
    #expect(answer.faults == ["calleeId": "SELF_CALL"])
  }

  @Test("R2 R5 R8 the answers of accept, reject, end and status")
  func answers() throws {
    let pair = try service.pair()
    let call = try service.ring(pair)
    func ask(_ verb: String, as user: String, _ body: String = "{}") -> Answer {
      service.ask(verb == "status" ? .patch : .post, "calls/\(call.id)/\(verb)", as: user, body)
    }
    let invalid = ask("status", as: pair.caller, #"{"status": "CONNECTED"}"#)
    #expect(invalid.code == "INVALID_STATUS_TRANSITION")
    #expect(invalid.details == ["from": "initiating", "to": "connected", "allowed": []])
    #expect(ask("accept", as: pair.caller).code == "UNAUTHORIZED_ACCESS")
    let accepted = ask("accept", as: pair.callee, #"{"deviceId": "phone"}"#)
    #expect(
      Set(accepted.data.objectValue?.keys ?? [:].keys) == [
        "callId", "channelId", "status", "acceptedAt",
      ])
    #expect(accepted.data["status"] == "connecting")
    let again = ask("accept", as: pair.callee, #"{"deviceId": "phone"}"#)
    #expect(again.status == 200)
    #expect(again.data == accepted.data)
    #expect(
      ask("accept", as: pair.callee, #"{"deviceId": "tv"}"#).code == "CALL_ALREADY_ACCEPTED")
    #expect(ask("reject", as: pair.callee).code == "CALL_ALREADY_ACCEPTED")
    for user in [pair.caller, pair.callee] {
      let updated = ask("status", as: user, #"{"status": "connected"}"#)
      #expect(updated.data["status"] == "connected")
      #expect(updated.data["updatedAt"]?.stringValue != nil)
    }
    let ended = ask("end", as: pair.caller, #"{"reason": "whatever", "durationSeconds": 99}"#)
    #expect(ended.data["status"] == "ended")
    #expect(ended.data["endReason"] == "hangup")
    #expect(ended.data["durationSeconds"] == 0)
    #expect(ask("end", as: pair.callee).data == ended.data)
    let rejected = ask("reject", as: pair.callee)
    #expect(rejected.status == 200)
    #expect(rejected.data["status"] == "ended")
    #expect(ask("accept", as: pair.callee).code == "CALL_ALREADY_ENDED")
  }

  @Test("R12.2 R9.2 an unknown call is 404, somebody else's 403, whatever is asked of it")
  func foreignCalls() throws {
    let call = try service.ring(try service.pair())
    let unknown = "018f3f5e-0000-7000-8000-000000000001"
    for (method, verb, body) in [
      (HTTPMethod.get, "", nil), (.post, "/accept", "{}"), (.post, "/reject", "{}"),
      (.post, "/end", "{}"), (.patch, "/status", #"{"status": "connected"}"#),
      (.post, "/quality", #"{"networkQuality": "good"}"#),
    ] as [(HTTPMethod, String, String?)] {
      for id in [unknown, "nonsense", "%F0%9F%98%80", "..", "1"] {
        let answer = service.ask(method, "calls/\(id)\(verb)", as: "stranger", body)
        #expect(answer.status == 404, "\(verb) \(id)")
        #expect(answer.details == ["resource": "call"])
      }
      for id in [call.id, call.id.uppercased()] {
        let answer = service.ask(method, "calls/\(id)\(verb)", as: "stranger", body)
        #expect(answer.status == 403)
        #expect(answer.code == "UNAUTHORIZED_ACCESS")
      }
    }
  }

  @Test("§4 GET tells everything of a call, its quality too")
  func details() throws {
    let pair = try service.pair()
    let call = try service.connect(pair)
    for quality in ["excellent", "good", "unknown"] {
      _ = service.ask(
        .post, "calls/\(call.id)/quality", as: pair.caller,
        "{\"networkQuality\": \"\(quality)\", \"roundTripTime\": 40}")
    }
    let live = service.ask(.get, "calls/active", as: pair.callee).data
    #expect(live == service.ask(.get, "calls/\(call.id)", as: pair.caller).data)
    #expect(live["status"] == "connecting")
    #expect(live["endReason"]?.isNull == true)
    #expect(
      live["quality"] == [
        "averageNetworkQuality": "excellent", "averageScore": 4.5,
        "averagePacketLossRate": nil, "averageRoundTripTime": 40, "samples": 3,
      ])
    _ = service.ask(.post, "calls/\(call.id)/end", as: pair.caller)
    let over = service.ask(.get, "calls/\(call.id)", as: pair.callee).data
    #expect(over["status"] == "ended")
    #expect(over["quality"] == live["quality"])
    #expect(over["startTime"] == over["acceptedAt"])
    #expect(service.ask(.get, "calls/active", as: pair.callee).data.isNull)
  }

  @Test("R6.2 pagination: pages, cursors, and what is no cursor")
  func pagination() throws {
    let pair = try service.pair()
    for _ in 0..<5 {
      let call = try service.ring(pair)
      _ = try service.calls.end(call.id, by: pair.caller, reason: .hangup, from: Origin())
    }
    func list(_ query: String) -> Answer {
      service.ask(.get, "calls/history?" + query, as: pair.caller)
    }
    let first = list("page=1&limit=2").data
    #expect(first["calls"]?.arrayValue?.count == 2)
    let cursor = try #require(first["pagination"]?["nextCursor"]?.stringValue)
    #expect(
      first["pagination"] == [
        "page": 1, "limit": 2, "total": 5, "totalPages": 3, "hasNextPage": true,
        "hasPrevPage": false, "nextCursor": .string(cursor),
      ])
    #expect(
      list("page=7&limit=2&cursor=\(cursor)").data["calls"] == list("page=2&limit=2").data["calls"])
    let last = list("page=3&limit=2").data
    #expect(last["calls"]?.arrayValue?.count == 1)
    #expect(last["pagination"]?["hasNextPage"] == false)
    #expect(last["pagination"]?["hasPrevPage"] == true)
    #expect(last["pagination"]?["nextCursor"]?.isNull == true)
    #expect(list("limit=1000").data["pagination"]?["limit"] == 100)
    #expect(list("status=completed").data["pagination"]?["total"] == 0)
    #expect(list("status=MISSED&callType=Video").data["pagination"]?["total"] == 5)
    #expect(
      list("page=0&limit=0&status=x&callType=y&cursor=z").faults == [
        "page": "INVALID_PAGE", "limit": "INVALID_LIMIT", "status": "INVALID_STATUS",
        "callType": "INVALID_CALL_TYPE", "cursor": "INVALID_CURSOR",
      ])
    for cursor in ["", ".", "1", "1.", ".1", "1.1.1", "-1.1", "1.-1", "1e3.1", "%2B1.1"] {
      #expect(list("cursor=\(cursor)").faults == ["cursor": "INVALID_CURSOR"], "\(cursor)")
    }
    let entry = try #require(first["calls"]?.arrayValue?.first)
    #expect(
      Set(entry.objectValue?.keys ?? [:].keys) == [
        "id", "callId", "remoteUserId", "remoteUserName", "remoteUserAvatar", "callType",
        "status", "direction", "endReason", "timestamp", "durationSeconds",
      ])
    #expect(entry["id"]?.stringValue != nil)
  }

  @Test("R15 statistics by period, a month where none is given")
  func statistics() throws {
    let pair = try service.pair()
    let call = try service.ring(pair)
    _ = try service.calls.end(call.id, by: pair.caller, reason: .hangup, from: Origin())
    for (query, period) in [("", "month"), ("?period=DAY", "day"), ("?period=year", "year")] {
      let data = service.ask(.get, "calls/statistics\(query)", as: pair.callee).data
      #expect(data["period"]?.stringValue == period)
      #expect(data["totalCalls"] == 1)
      #expect(data["callsByType"] == ["audio": 0, "video": 1])
      #expect(
        data["callsByStatus"] == ["completed": 0, "missed": 1, "rejected": 0, "failed": 0])
      #expect(data["averageCallDurationMinutes"]?.doubleValue == 0)
      #expect(data["from"]?.stringValue != nil)
    }
    #expect(
      service.ask(.get, "calls/statistics?period=all", as: pair.callee).faults == [
        "period": "INVALID_PERIOD"
      ])
  }

  @Test("R7.1–R7.3 quality values out of their ranges, all at once")
  func qualityFaults() throws {
    let pair = try service.pair()
    let call = try service.connect(pair)
    func report(_ body: String) -> Answer {
      service.ask(.post, "calls/\(call.id)/quality", as: pair.caller, body)
    }
    #expect(
      report(
        #"{"networkQuality": "great", "packetLossRate": 1.1, "roundTripTime": 0, "timestamp": "x"}"#
      ).faults == [
        "networkQuality": "INVALID_QUALITY", "packetLossRate": "INVALID_PACKET_LOSS",
        "roundTripTime": "INVALID_RTT", "timestamp": "INVALID_TIMESTAMP",
      ])
    #expect(report("{}").faults == ["networkQuality": "REQUIRED"])
    for time in [
      "0000-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "0000-01-01T00:00:00Z",
    ] {
      let answer = report("{\"networkQuality\": \"good\", \"timestamp\": \"\(time)\"}")
      #expect(answer.faults == ["timestamp": "INVALID_TIMESTAMP"], "\(time)")
    }
    for body in [
      #"{"networkQuality": "VERYBAD", "packetLossRate": 0, "roundTripTime": 0.001}"#,
      #"{"networkQuality": "unknown", "packetLossRate": 1, "timestamp": 1700000000000}"#,
      #"{"networkQuality": "good", "timestamp": "2026-05-04T03:02:01.5+02:00"}"#,
    ] { #expect(report(body).status == 200) }
  }
}
