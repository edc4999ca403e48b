// A login's end on a socket (contract §10), by a clock that the test sets.

import Calls
import Glibc
import HTTP
import JSON
import System
import Testing

@testable import Signaling

@Suite struct LoginTests {
  private let sidecar: RunningSidecar
  private var world: World { sidecar.world }

  init() throws { sidecar = try RunningSidecar() }

  @Test func connectedTellsWhenTheLoginEnds() throws {
    let until = sidecar.end(in: 3600)
    let greeting = try sidecar.client("alice", until: until).next("connected")
    #expect(greeting["authenticatedUntil"]?.stringValue == until.iso8601)
    let endless = try sidecar.client("alice").next("connected")
    #expect(endless["authenticatedUntil"] == .null)
  }

  @Test func noticeIsGivenAMinuteBeforeTheEnd() throws {
    let until = sidecar.end(in: 3600)
    let client = try sidecar.greeted("alice", until: until)
    world.step(seconds: 3500)
    #expect(throws: Client.TimedOut.self) { try client.next(700) }
    world.step(seconds: 45)
    let frame = try client.next()
    #expect(frame["type"] == "auth_expiring")
    #expect(frame["data"] == ["authenticatedUntil": .string(until.iso8601)])
    #expect(frame["id"] == nil)
    #expect(frame["timestamp"]?.stringValue?.count == 24)
    world.step(seconds: 30)
    #expect(throws: Client.TimedOut.self) { try client.next(700) }
    world.step(seconds: 30)
    #expect(try client.closeCode() == 4401)
    client.send(frame: 8, [0x11, 0x31])
    #expect(client.isEnded())
    #expect(try sidecar.metric("chattrix_signaling_expirations_total") == "1")
  }

  @Test func whoHasLessThanAMinuteIsToldRightBehindConnected() throws {
    world.emit("call_invitation", to: "alice", callId: "c1")
    world.with { $0.activeCalls["alice"] = "c1" }
    let until = sidecar.end(in: 40)
    let client = try sidecar.greeted("alice", until: until)
    #expect(
      try client.next("auth_expiring")["authenticatedUntil"]?.stringValue == until.iso8601)
    _ = try client.next("call_invitation")
    world.step(seconds: 20)
    #expect(throws: Client.TimedOut.self) { try client.next(700) }
    world.step(seconds: 21)
    #expect(try client.closeCode() == 4401)
  }

  @Test func aTicketPassesItsEndOn() throws {
    let until = sidecar.end(in: 3600)
    world.with { $0.tickets["0123456789abcdef"] = World.token("carol", until: until) }
    let client = try Client(sidecar.path)
    #expect(try client.upgrade("/ws?ticket=0123456789abcdef").status == 101)
    let greeting = try client.next("connected")
    #expect(greeting["authenticatedUntil"]?.stringValue == until.iso8601)
    world.step(seconds: 3601)
    #expect(try client.closeCode() == 4401)
  }

  @Test func aTicketThatOutlivesItsLoginOpensNothing() throws {
    world.with { $0.tickets["0123456789abcdef"] = World.token("carol", until: sidecar.end(in: 20)) }
    world.step(seconds: 20)
    let answer = try Client(sidecar.path).upgrade("/ws?ticket=0123456789abcdef")
    #expect(answer.status == 401)
    #expect(answer.body?["error"]?["code"] == "AUTHENTICATION_FAILED")
  }

  @Test func aRenewedLoginOutlivesItsFirstEnd() throws {
    let client = try sidecar.greeted("alice", until: sidecar.end(in: 300))
    world.step(seconds: 245)
    _ = try client.next("auth_expiring")
    let until = sidecar.end(in: 500)
    client.renew("alice", until: until)
    #expect(try client.renewed()?.stringValue == until.iso8601)
    world.step(seconds: 100)
    client.send(text: #"{"type":"call.end","data":{"callId":"c"}}"#)
    #expect(try client.next("command_result")["status"] == 200)
    world.step(seconds: 345)
    #expect(
      try client.next("auth_expiring")["authenticatedUntil"]?.stringValue == until.iso8601)
    // One that never ends: null.
    client.renew("alice", until: nil)
    #expect(try client.renewed() == .null)
    world.step(seconds: 1_000_000)
    #expect(throws: Client.TimedOut.self) { try client.next(700) }
    #expect(try sidecar.metric("chattrix_signaling_renewals_total") == "2")
    #expect(try sidecar.metric("chattrix_signaling_expirations_total") == "0")
  }

  /// The newest token is what the client says of itself.
  @Test func anEarlierEndCountsToo() throws {
    let client = try sidecar.greeted("alice", until: sidecar.end(in: 3600))
    let until = sidecar.end(in: 30)
    client.renew("alice", until: until)
    #expect(try client.renewed()?.stringValue == until.iso8601)
    #expect(
      try client.next("auth_expiring")["authenticatedUntil"]?.stringValue == until.iso8601)
    world.step(seconds: 31)
    #expect(try client.closeCode() == 4401)
  }

  @Test(
    "§10 a bad token is 401, another user's 403, and nothing changes",
    arguments: [
      ("rubbish", 401, "AUTHENTICATION_FAILED"), ("until:1000:alice", 401, "AUTHENTICATION_FAILED"),
      ("user:bob", 403, "UNAUTHORIZED_ACCESS"), ("user:Alice", 403, "UNAUTHORIZED_ACCESS"),
      ("user:alic\u{e9}", 403, "UNAUTHORIZED_ACCESS"),
    ] as [(String, Int64, String)])
  func refusals(token: String, status: Int64, code: String) throws {
    let user = token.hasSuffix("\u{e9}") ? "alice\u{301}" : "alice"
    let client = try sidecar.greeted(PercentEncoding.encode(user), until: sidecar.end(in: 300))
    client.send(text: #"{"type":"auth","requestId":7,"data":{"token":"\#(token)"}}"#)
    let result = try client.next("command_result")
    #expect(result["requestId"] == 7)
    #expect(result["status"] == .int(status))
    #expect(result["body"]?["error"]?["code"]?.stringValue == code)
    client.send(text: #"{"type":"call.end","data":{"callId":"c"}}"#)
    #expect(try client.next("command_result")["status"] == 200)
    world.step(seconds: 245)
    _ = try client.next("auth_expiring")
    world.step(seconds: 60)
    #expect(try client.closeCode() == 4401)
  }

  @Test(
    "§10 R12.1 a renewal without a token is refused as a command without a call",
    arguments: [
      (#"{"type":"auth"}"#, ["token": "REQUIRED"]),
      (#"{"type":"auth","data":null,"payload":{}}"#, ["token": "REQUIRED"]),
      (#"{"type":"auth","data":{"token":null}}"#, ["token": "REQUIRED"]),
      (#"{"type":"auth","data":{"token":""}}"#, ["token": "INVALID_TYPE"]),
      (#"{"type":"auth","data":{"token":5}}"#, ["token": "INVALID_TYPE"]),
      (#"{"type":"auth","data":{"token":["user:alice"]}}"#, ["token": "INVALID_TYPE"]),
      (#"{"type":"auth","data":"user:alice"}"#, ["data": "INVALID_TYPE"]),
      (#"{"type":"auth","data":["user:alice"]}"#, ["data": "INVALID_TYPE"]),
      (
        #"{"type":"auth","data":{"userId":{}}}"#,
        ["userId": "INVALID_USER_ID", "token": "REQUIRED"]
      ),
    ])
  func malformed(text: String, faults: [String: String]) throws {
    let message = try #require(ClientMessage(Array(text.utf8).span).renewal)
    do throws(CallError) {
      _ = try message.token(from: "alice")
      Issue.record("taken")
    } catch {
      guard case .validation(let found) = error else { throw error }
      let codes = Dictionary(uniqueKeysWithValues: found.map { ($0.field, $0.code.rawValue) })
      #expect(codes == faults)
    }
    let client = try sidecar.greeted("alice")
    client.send(text: text)
    let result = try client.next("command_result")
    #expect(result["status"] == 400)
    #expect(result["body"]?["error"]?["code"] == "VALIDATION_ERROR")
  }

  @Test func payloadIsReadAndAUserIdHasToBeTheOwn() throws {
    let client = try sidecar.greeted("7")
    for (userId, status) in [("7", 200), (#""7""#, 200), ("8", 403), ("null", 200)] {
      client.send(
        text: #"{"type":"AUTH","payload":{"token":"user:7","userId":\#(userId),"x":1}}"#)
      #expect(try client.next("command_result")["status"]?.intValue == Int64(status))
    }
    client.send(text: #"{"type":"auth","requestId":{},"data":{"token":"user:7"}}"#)
    #expect(try client.next("error")["code"] == "VALIDATION_ERROR")
  }

  @Test func renewalsCountAsMessages() throws {
    let sidecar = try RunningSidecar { $0.messagesPerSecond = 5 }
    let client = try sidecar.greeted("alice", until: sidecar.end(in: 3600))
    let until = sidecar.end(in: 7200)
    let ends = Array(repeating: until, count: 5) + [sidecar.end(in: 9000)]
    client.send(texts: ends.map { Client.renewal("alice", until: $0) })
    for _ in 0..<5 { #expect(try client.renewed()?.stringValue == until.iso8601) }
    #expect(try client.next("command_result")["status"] == 429)
    sidecar.world.step(seconds: 7145)
    #expect(
      try client.next("auth_expiring")["authenticatedUntil"]?.stringValue == until.iso8601)
  }

  @Test("§10 /ws/chat is exempt, and says so")
  func chat() throws {
    let client = try sidecar.client("alice", path: "/ws/chat", until: sidecar.end(in: 300))
    #expect(try client.next("connected")["authenticatedUntil"] == .null)
    world.step(seconds: 86_400)
    #expect(throws: Client.TimedOut.self) { try client.next(700) }
    client.send(text: #"{"type":"call.accept","data":{"callId":"c1"}}"#)
    #expect(try client.next("command_result")["body"]?["data"]?["status"] == "CONNECTING")
    client.renew("alice", until: sidecar.end(in: 300))
    #expect(try client.renewed() == .null)
    client.renew("bob", until: sidecar.end(in: 300))
    #expect(try client.next("command_result")["status"] == 403)
  }

  @Test("§10 /ws/chat ends as /ws does where it is told to")
  func chatThatExpires() throws {
    let sidecar = try RunningSidecar { $0.chatExpires = true }
    let until = sidecar.end(in: 3600)
    let client = try sidecar.client("alice", path: "/ws/chat", until: until)
    #expect(
      try client.next("connected")["authenticatedUntil"]?.stringValue == until.iso8601)
    sidecar.world.step(seconds: 3545)
    _ = try client.next("auth_expiring")
    let later = sidecar.end(in: 9000)
    client.renew("alice", until: later)
    #expect(try client.renewed()?.stringValue == later.iso8601)
    sidecar.world.step(seconds: 3000)
    client.send(text: #"{"type":"call.accept","data":{"callId":"c1"}}"#)
    #expect(try client.next("command_result")["body"]?["data"]?["status"] == "CONNECTING")
    sidecar.world.step(seconds: 9000)
    #expect(try client.closeCode() == 4401)
  }

}

extension ClientMessage {
  fileprivate var renewal: Renewal? {
    if case .renewal(let renewal) = self { renewal } else { nil }
  }
}
