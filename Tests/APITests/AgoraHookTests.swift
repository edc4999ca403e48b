// POST /hooks/agora (contract §9.1): the order of checks, what is refused and how, what is logged.

import API
import Calls
import Crypto
import HTTP
import JSON
import MySQL
import System
import TestServers
import Testing

@Suite(.needsServer, .database, .serialized) struct AgoraHookTests {
  private static let secret = "a secret of Agora's"

  private func service(_ secret: String? = secret) throws -> Service {
    try Service(environment: secret.map { ["AGORA_WEBHOOK_SECRET": $0] } ?? [:])
  }

  private static func sign(_ body: [UInt8], _ secret: String = secret) -> String {
    hexadecimal(HMAC.authenticate(.sha256, key: Array(secret.utf8), message: body))
  }

  private static func notice(
    _ eventType: Int, _ payload: String, id: String = Randomness.system.hexadecimal(bytes: 8)
  ) -> String {
    """
    {"noticeId": "\(id)", "productId": 1, "eventType": \(eventType),
     "notifyMs": \(Timestamp.now().milliseconds), "sid": "S", "payload": \(payload)}
    """
  }

  private func send(
    _ service: Service, _ body: [UInt8], signature: String?, method: HTTPMethod = .post
  ) -> Answer {
    var request = HTTPRequest(
      method: method, path: "/hooks/agora", body: body, requestId: "request-1")
    request.headers["Content-Type"] = "application/json"
    if let signature { request.headers["Agora-Signature-V2"] = signature }
    return Answer(service.application.respond(to: request))
  }

  private func send(_ service: Service, _ text: String) -> Answer {
    send(service, Array(text.utf8), signature: Self.sign(Array(text.utf8)))
  }

  private func isTaken(_ answer: Answer) -> Bool {
    answer.status == 200 && answer.response.body == Array("{}".utf8)
      && answer["Content-Type"] == "application/json" && answer["X-Request-Id"] == "request-1"
  }

  @Test("§9.1 without the setting there is nothing there")
  func unconfigured() throws {
    let service = try service(nil)
    let body = Self.notice(101, #"{"channelName": "test_webhook"}"#)
    let answer = send(service, body)
    #expect(answer.status == 404)
    #expect(answer.details == ["resource": "route"])
  }

  @Test("§9.1 only POST, whatever the signature")
  func methods() throws {
    let service = try service()
    for method in [HTTPMethod.get, .head, .put, .patch, .delete, .options] {
      let answer = send(service, [], signature: Self.sign([]), method: method)
      #expect(answer.status == 405)
      #expect(answer["Allow"] == "POST")
    }
  }

  @Test("§9.1 not signed, or not by our secret: 401, and no word on why")
  func unsigned() throws {
    let service = try service()
    let body = Array(Self.notice(101, #"{"channelName": "test_webhook"}"#).utf8)
    for signature in [
      nil, "", "x", Self.sign(body, "another"), String(Self.sign(body).dropLast()),
      Self.sign(body + [0x20]),
    ] {
      let answer = send(service, body, signature: signature)
      #expect(answer.status == 401)
      #expect(answer.code == "AUTHENTICATION_FAILED")
      #expect(answer["WWW-Authenticate"] == "Agora-Signature-V2")
    }
    #expect(isTaken(send(service, body, signature: Self.sign(body).uppercased())))
    #expect(!service.logFile.text.contains(Self.secret))
  }

  @Test("§9.1 two secrets: while one replaces the other, either will do")
  func rotation() throws {
    let service = try service("new secret, \(Self.secret)")
    let body = Array(Self.notice(101, "{}").utf8)
    for secret in ["new secret", Self.secret] {
      #expect(isTaken(send(service, body, signature: Self.sign(body, secret))))
    }
    #expect(send(service, body, signature: Self.sign(body, "old")).status == 401)
  }

  @Test("§9.1 signed and no notice: 400 with what is at fault")
  func malformed() throws {
    let service = try service()
    for text in ["", "{", "{} x", "\u{1}"] {
      #expect(send(service, text).code == "MALFORMED_JSON", "\(text)")
    }
    for text in ["[]", "1", "null"] {
      #expect(send(service, text).faults == ["body": "INVALID_BODY"], "\(text)")
    }
    #expect(
      send(service, "{}").faults == [
        "noticeId": "REQUIRED", "productId": "REQUIRED", "eventType": "REQUIRED",
        "notifyMs": "REQUIRED", "payload": "REQUIRED",
      ])
    let wrong = #"{"noticeId": 1, "productId": 1, "eventType": "107", "notifyMs": 1, "payload": 1}"#
    #expect(
      send(service, wrong).faults == [
        "noticeId": "INVALID_TYPE", "eventType": "INVALID_TYPE", "payload": "INVALID_TYPE",
      ])
  }

  @Test("§9.1 a body of 64 KiB is taken, a longer one is not looked at")
  func length() throws {
    let service = try service()
    let notice = Array(Self.notice(101, "{}").utf8)
    let padding = [UInt8](repeating: 0x20, count: 65_536 - notice.count)
    #expect(isTaken(send(service, notice + padding, signature: Self.sign(notice + padding))))
    let answer = send(service, notice + padding + [0x20], signature: nil)
    #expect(answer.status == 413)
    #expect(answer.details == ["limitBytes": 65_536])
  }

  @Test("§9.1 what is signed and well-formed is taken: other channels, events, products, payloads")
  func others() throws {
    let service = try service()
    let count = "SELECT COUNT(*) FROM agora_notices"
    let before = try service.count(count)
    let health = #"{"channelName": "test_webhook", "uid": 12121212, "clientSeq": 1, "ts": 1}"#
    for type in [101, 102, 103, 104, 107, 111, 112, 0, -1, 9999] {
      #expect(isTaken(send(service, Self.notice(type, health))), "\(type)")
    }
    #expect(isTaken(send(service, Self.notice(103, "{}"))))
    #expect(service.logFile.lines("agora_notice_incomplete").count == 1)
    let product = Self.notice(103, health).replacing("\"productId\": 1", with: "\"productId\": 17")
    #expect(isTaken(send(service, product)))
    #expect(try service.count(count) == before)
  }

  @Test("§9.2 §9.3 both join: the call is connected, and media says so")
  func joined() throws {
    let service = try service()
    let pair = try service.pair()
    let call = try service.connect(pair)
    for (number, user) in [pair.caller, pair.callee].enumerated() {
      let uid = AgoraUID.uid(of: user, callerId: pair.caller, calleeId: pair.callee)
      let payload = """
        {"channelName": "\(call.channelId)", "uid": \(uid), "platform": 1, "clientSeq": 1,
         "ts": \(Timestamp.now().seconds)}
        """
      #expect(isTaken(send(service, Self.notice(number == 0 ? 103 : 107, payload))))
      let details = service.ask(.get, "calls/\(call.id)", as: pair.caller).data
      #expect(
        details["media"] == ["caller": "joined", "callee": number == 0 ? nil : "joined"])
      #expect(details["status"] == (number == 0 ? "connecting" : "connected"))
    }
    let line = try #require(service.logFile.lines("request").first)
    #expect(line["route"] == "/hooks/agora")
    #expect(line["requestId"] == "request-1")
    #expect(line["status"] == 200)
    #expect(line["userId"] == JSONValue.null)
  }

  @Test("§9.1 without the database: 503, so that Agora sends it again")
  func databaseAway() throws {
    var options = TestDatabase.current.options
    (options.socket, options.addresses) = (nil, [MySQLAddress(host: "127.0.0.1", port: 1)])
    let service = try Service(
      environment: ["AGORA_WEBHOOK_SECRET": Self.secret], mysql: options)
    let payload = #"{"channelName": "3f1d0c9a8b7e6f5d4c3b2a1908f7e6d5", "uid": 1, "clientSeq": 1}"#
    let answer = send(service, Self.notice(103, payload))
    #expect(answer.status == 503)
    #expect(answer["Retry-After"] == "1")
    #expect(service.logFile.lines("database_unavailable").count == 1)
  }
}
