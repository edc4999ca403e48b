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

  /// A whole second, some seconds away.
  private func end(in seconds: Int64) -> Timestamp {
    Timestamp(milliseconds: (world.now.seconds + seconds) * 1000)
  }

  private func renew(
    _ client: Client, _ user: String, until end: Timestamp?, requestId: String = "r"
  ) {
    let token = World.token(user, until: end)
    client.send(
      text: #"{"type":"auth","requestId":"\#(requestId)","data":{"token":"\#(token)"}}"#)
  }

  /// What a renewal is answered with: the new end.
  private func renewed(_ client: Client) throws -> JSONValue? {
    let result = try client.next("command_result")
    #expect(result["status"] == 200)
    #expect(result["body"]?["success"] == true)
    return result["body"]?["data"]?["authenticatedUntil"]
  }

  private func metric(_ name: String) throws -> String? {
    let client = try Client(sidecar.path)
    client.send(Array("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
    let line = client.everything().split(separator: "\n").first { $0.hasPrefix("\(name) ") }
    return line.map { String($0.dropFirst(name.utf8.count + 1)) }
  }

  @Test func connectedTellsWhenTheLoginEnds() throws {
    let until = end(in: 3600)
    let greeting = try sidecar.client("alice", until: until).next("connected")
    #expect(greeting["authenticatedUntil"]?.stringValue == until.iso8601)
    let endless = try sidecar.client("alice").next("connected")
    #expect(endless["authenticatedUntil"] == .null)
  }

  @Test func noticeIsGivenAMinuteBeforeTheEnd() throws {
    let until = end(in: 3600)
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
    #expect(try metric("chattrix_signaling_expirations_total") == "1")
  }

  @Test func whoHasLessThanAMinuteIsToldRightBehindConnected() throws {
    world.emit("call_invitation", to: "alice", callId: "c1")
    world.with { $0.activeCalls["alice"] = "c1" }
    let until = end(in: 40)
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
    let until = end(in: 3600)
    world.with { $0.tickets["0123456789abcdef"] = World.token("carol", until: until) }
    let client = try Client(sidecar.path)
    #expect(try client.upgrade("/ws?ticket=0123456789abcdef").status == 101)
    let greeting = try client.next("connected")
    #expect(greeting["authenticatedUntil"]?.stringValue == until.iso8601)
    world.step(seconds: 3601)
    #expect(try client.closeCode() == 4401)
  }

  @Test func aTicketThatOutlivesItsLoginOpensNothing() throws {
    world.with { $0.tickets["0123456789abcdef"] = World.token("carol", until: end(in: 20)) }
    world.step(seconds: 20)
    let answer = try Client(sidecar.path).upgrade("/ws?ticket=0123456789abcdef")
    #expect(answer.status == 401)
    #expect(answer.body?["error"]?["code"] == "AUTHENTICATION_FAILED")
  }

  @Test func aRenewedLoginOutlivesItsFirstEnd() throws {
    let client = try sidecar.greeted("alice", until: end(in: 70))
    world.step(seconds: 15)
    _ = try client.next("auth_expiring")
    let until = end(in: 500)
    renew(client, "alice", until: until)
    #expect(try renewed(client)?.stringValue == until.iso8601)
    world.step(seconds: 100)
    client.send(text: #"{"type":"call.end","data":{"callId":"c"}}"#)
    #expect(try client.next("command_result")["status"] == 200)
    world.step(seconds: 345)
    #expect(
      try client.next("auth_expiring")["authenticatedUntil"]?.stringValue == until.iso8601)
    // One that never ends: null.
    renew(client, "alice", until: nil)
    #expect(try renewed(client) == .null)
    world.step(seconds: 1_000_000)
    #expect(throws: Client.TimedOut.self) { try client.next(700) }
    #expect(try metric("chattrix_signaling_renewals_total") == "2")
    #expect(try metric("chattrix_signaling_expirations_total") == "0")
  }

  /// The newest token is what the client says of itself.
  @Test func anEarlierEndCountsToo() throws {
    let client = try sidecar.greeted("alice", until: end(in: 3600))
    let until = end(in: 30)
    renew(client, "alice", until: until)
    #expect(try renewed(client)?.stringValue == until.iso8601)
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
    let client = try sidecar.greeted(PercentEncoding.encode(user), until: end(in: 70))
    client.send(text: #"{"type":"auth","requestId":7,"data":{"token":"\#(token)"}}"#)
    let result = try client.next("command_result")
    #expect(result["requestId"] == 7)
    #expect(result["status"] == .int(status))
    #expect(result["body"]?["error"]?["code"]?.stringValue == code)
    client.send(text: #"{"type":"call.end","data":{"callId":"c"}}"#)
    #expect(try client.next("command_result")["status"] == 200)
    world.step(seconds: 15)
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
    let client = try sidecar.greeted("alice", until: end(in: 3600))
    let until = end(in: 7200)
    for _ in 0..<5 { renew(client, "alice", until: until) }
    renew(client, "alice", until: end(in: 9000))
    for _ in 0..<5 { #expect(try renewed(client)?.stringValue == until.iso8601) }
    #expect(try client.next("command_result")["status"] == 429)
    sidecar.world.step(seconds: 7145)
    #expect(
      try client.next("auth_expiring")["authenticatedUntil"]?.stringValue == until.iso8601)
  }

  /// Holds up the event loop, as when the process is suspended, while `body` runs.
  private func whileSuspended(_ body: () -> Void) throws {
    let sleeper = try Client(sidecar.path)
    sleeper.send(Array("GET /ws?token=sleep:2 HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
    usleep(500_000)
    body()
  }

  @Test func afterTheEndACommandIsRefusedBeforeTheTimerHasFired() throws {
    let client = try sidecar.greeted("alice", until: end(in: 3600))
    try whileSuspended {
      world.step(seconds: 3601)
      client.send(text: #"{"type":"call.end","requestId":1,"data":{"callId":"c"}}"#)
      // Its shape is looked at after the login (contract §3).
      client.send(text: #"{"type":"call.end","requestId":2}"#)
    }
    for number in 1...2 as ClosedRange<Int64> {
      let result = try client.next("command_result")
      #expect(result["requestId"]?.intValue == number)
      #expect(result["status"] == 401)
      #expect(result["body"]?["error"]?["code"] == "AUTHENTICATION_FAILED")
    }
    #expect(try client.closeCode() == 4401)
    #expect(world.performed.isEmpty)
  }

  @Test func betweenTheEndAndTheCloseALoginCanBeRenewed() throws {
    let client = try sidecar.greeted("alice", until: end(in: 3600))
    let until = end(in: 9000)
    try whileSuspended {
      world.step(seconds: 3601)
      world.emit("call_ended", to: "alice")
      renew(client, "alice", until: until)
      client.send(text: #"{"type":"call.end","data":{"callId":"c"}}"#)
    }
    // Nothing is told of what happened after the end before the login is renewed.
    #expect(try renewed(client)?.stringValue == until.iso8601)
    let rest = try (0..<2).map { _ in try client.next() }
    #expect(Set(rest.compactMap { $0["type"]?.stringValue }) == ["call_ended", "command_result"])
    #expect(try metric("chattrix_signaling_expirations_total") == "0")
  }

  @Test(
    "§10 a command that waits for its turn beyond the end is not carried out, unless it is renewed",
    arguments: [true, false])
  func waitingCommands(isRenewed: Bool) throws {
    let client = try sidecar.greeted("alice", until: end(in: 3600))
    world.with { state in
      state.answer = { _ in
        sleep(2)
        return .json(Array("{}".utf8))
      }
    }
    for number in 1...2 {
      client.send(text: #"{"type":"call.end","requestId":\#(number),"data":{"callId":"c"}}"#)
    }
    #expect(eventually { world.performed.count == 1 })
    if isRenewed {
      renew(client, "alice", until: end(in: 9000))
      _ = try renewed(client)
    }
    world.step(seconds: 3601)
    if isRenewed {
      for _ in 1...2 { #expect(try client.next("command_result")["status"] == 200) }
    } else {
      #expect(try client.closeCode() == 4401)
      sleep(3)
    }
    #expect(world.performed.count == (isRenewed ? 2 : 1))
  }

  @Test func theClockMayBeSetBackAndForth() throws {
    let until = end(in: 300)
    let client = try sidecar.greeted("alice", until: until)
    world.step(seconds: -86_400)
    #expect(throws: Client.TimedOut.self) { try client.next(700) }
    world.step(seconds: 86_400 + 245)
    _ = try client.next("auth_expiring")
    // Notice of one end is given once.
    world.step(seconds: -100)
    world.step(seconds: 110)
    #expect(throws: Client.TimedOut.self) { try client.next(700) }
    world.step(seconds: 86_400)
    #expect(try client.closeCode() == 4401)
    // Far beyond both: no notice of what is over.
    let other = try sidecar.greeted("alice", until: end(in: 300))
    world.step(seconds: 86_400)
    #expect(try other.frame() == .close(4401))
  }

  @Test func aLoginThatEndsBeforeConnectedIsOver() throws {
    world.with { $0.isDown = true }
    let client = try sidecar.client("alice", until: end(in: 3600))
    client.send(text: #"{"type":"heartbeat"}"#)
    world.step(seconds: 3601)
    #expect(try client.frame() == .close(4401))
    #expect(client.isEnded())
  }

  @Test("§10 /ws/chat is exempt, and says so")
  func chat() throws {
    let client = try sidecar.client("alice", path: "/ws/chat", until: end(in: 300))
    #expect(try client.next("connected")["authenticatedUntil"] == .null)
    world.step(seconds: 86_400)
    #expect(throws: Client.TimedOut.self) { try client.next(700) }
    client.send(text: #"{"type":"call.accept","data":{"callId":"c1"}}"#)
    #expect(try client.next("command_result")["body"]?["data"]?["status"] == "CONNECTING")
    renew(client, "alice", until: end(in: 300))
    #expect(try renewed(client) == .null)
    renew(client, "bob", until: end(in: 300))
    #expect(try client.next("command_result")["status"] == 403)
  }

  @Test("§10 /ws/chat ends as /ws does where it is told to")
  func chatThatExpires() throws {
    let sidecar = try RunningSidecar { $0.chatExpires = true }
    let until = end(in: 3600)
    let client = try sidecar.client("alice", path: "/ws/chat", until: until)
    #expect(
      try client.next("connected")["authenticatedUntil"]?.stringValue == until.iso8601)
    sidecar.world.step(seconds: 3545)
    _ = try client.next("auth_expiring")
    renew(client, "alice", until: end(in: 9000))
    #expect(try renewed(client)?.stringValue == end(in: 9000).iso8601)
    sidecar.world.step(seconds: 3000)
    client.send(text: #"{"type":"call.accept","data":{"callId":"c1"}}"#)
    #expect(try client.next("command_result")["body"]?["data"]?["status"] == "CONNECTING")
    sidecar.world.step(seconds: 9000)
    #expect(try client.closeCode() == 4401)
  }

  @Test func eachSocketOfAUserHasAnEndOfItsOwn() throws {
    let clients = try (0..<10).map { try sidecar.greeted("alice", until: end(in: 300 + $0)) }
    for (number, client) in clients.enumerated() where number % 2 == 0 {
      renew(client, "alice", until: end(in: 9000))
      _ = try renewed(client)
    }
    world.step(seconds: 3600)
    for (number, client) in clients.enumerated() {
      if number % 2 == 0 {
        client.send(text: #"{"type":"heartbeat"}"#)
        _ = try client.next("heartbeat.ack")
      } else {
        #expect(try client.closeCode() == 4401)
      }
    }
    #expect(try metric("chattrix_signaling_expirations_total") == "5")
  }
}

extension ClientMessage {
  fileprivate var renewal: Renewal? {
    if case .renewal(let renewal) = self { renewal } else { nil }
  }
}
