import Glibc
import HTTP
import JSON
import Testing

@testable import Signaling

@Suite struct ConversationTests {
  @Test func heartbeatsAndPingsAreAnswered() throws {
    let sidecar = try RunningSidecar()
    let client = try sidecar.greeted("alice")
    for _ in 0..<3 {
      client.send(text: #"{"type":"heartbeat"}"#)
      #expect(try client.next("heartbeat.ack")["serverTime"]?.stringValue?.count == 24)
    }
    client.send(frame: 9, [1, 2, 3])
    #expect(try client.frame() == .pong([1, 2, 3]))
  }

  @Test func framesThatCameBeforeConnectedAreAnsweredAfterIt() throws {
    let sidecar = try RunningSidecar()
    sidecar.world.with { $0.isDown = true }
    let client = try sidecar.client("alice")
    client.send(text: #"{"type":"heartbeat"}"#)
    #expect(throws: Client.TimedOut.self) { try client.next(300) }
    sidecar.world.with { $0.isDown = false }
    _ = try client.next("connected")
    _ = try client.next("heartbeat.ack")
  }

  /// It is not read from, so whether it is silent is not known.
  @Test func whoseConnectedNeverComesIsToldToTryLater() throws {
    let sidecar = try RunningSidecar { $0.server.silenceSeconds = 2 }
    sidecar.world.with { $0.isDown = true }
    let client = try sidecar.client("alice")
    client.send(frame: 10)
    #expect(try client.closeCode() == 1013)
    #expect(client.isEnded())
  }

  /// What comes before `connected` is read no further than the kernel holds it, and then as always.
  @Test func muchBeforeConnectedIsNotKept() throws {
    let sidecar = try RunningSidecar()
    sidecar.world.with { $0.isDown = true }
    let client = try sidecar.client("alice")
    for _ in 0..<5 { client.send(frame: 9, [UInt8](repeating: 1, count: 100)) }
    let header: [UInt8] = [0x81, 0xFF, 0, 0, 0, 0, 0, 0x1E, 0x84, 0x80, 0, 0, 0, 0]
    client.send(header + [UInt8](repeating: 0x61, count: 100_000))
    sidecar.world.with { $0.isDown = false }
    _ = try client.next("connected")
    for _ in 0..<5 { #expect(try client.frame() == .pong([UInt8](repeating: 1, count: 100))) }
    #expect(try client.closeCode() == 1009)
    // The rest of it is thrown away, and the stream ends when it has come.
    for _ in 0..<19 { client.send([UInt8](repeating: 0x61, count: 100_000)) }
    #expect(client.isEnded())
  }

  @Test("R2.2 a command is the REST request of the same name", arguments: ["data", "payload"])
  func commands(member: String) throws {
    let sidecar = try RunningSidecar()
    let client = try sidecar.client("alice", query: "deviceId=phone")
    let connectionId = try client.next("connected")["connectionId"]?.stringValue
    client.send(
      text: #"""
        {"type":"call.reject","requestId":"r 1",
         "\#(member)":{"callId":"a/ü","reason":"busy","deviceId":"tablet"}}
        """#)
    let result = try client.next("command_result")
    #expect(result["requestId"] == "r 1")
    #expect(result["status"] == 200)
    #expect(result["body"]?["success"] == true)
    let performed = try #require(sidecar.world.performed.first)
    #expect(performed.request.method == .post)
    #expect(performed.request.path == "/api/v1/calls/a%2F%C3%BC/reject")
    #expect(performed.request.headers["Content-Type"] == "application/json")
    #expect(
      try JSONParser.parse(performed.request.body) == ["reason": "busy", "deviceId": "tablet"])
    #expect(performed.request.requestId.utf8.count == 32)
    #expect(performed.userId == "alice")
    #expect(performed.connectionId == connectionId)
    #expect(performed.deviceId == "phone")
  }

  @Test func commandsAreCarriedOutInOrder() throws {
    let sidecar = try RunningSidecar()
    let client = try sidecar.greeted("alice")
    for number in 0..<15 {
      client.send(
        text: #"{"type":"call.end","requestId":\#(number),"data":{"callId":"c\#(number)"}}"#)
    }
    for number in 0..<15 {
      #expect(try client.next("command_result")["requestId"]?.intValue == Int64(number))
    }
    #expect(
      sidecar.world.performed.map(\.request.path) == (0..<15).map { "/api/v1/calls/c\($0)/end" })
  }

  /// Swift's strings compare equal that Unicode calls equivalent; the tables tell such users apart.
  @Test("R9.2 users whose ids only look the same are two")
  func equivalentIds() throws {
    let sidecar = try RunningSidecar()
    let ids = ["caf\u{e9}", "cafe\u{301}"]
    let clients = try ids.map { try sidecar.client(PercentEncoding.encode($0)) }
    for (id, client) in zip(ids, clients) {
      let greeting = try client.next("connected")
      #expect(greeting["userId"]?.stringValue.map { Array($0.utf8) } == Array(id.utf8))
      client.send(text: #"{"type":"call.end","data":{"callId":"c"}}"#)
      _ = try client.next("command_result")
    }
    let performed = sidecar.world.performed.map { Array($0.userId.utf8) }
    #expect(performed == ids.map { Array($0.utf8) })
  }

  @Test("contract 11.1 history.seen is a command that names no call")
  func historySeen() throws {
    let sidecar = try RunningSidecar()
    let client = try sidecar.greeted("alice", query: "deviceId=phone")
    client.send(text: #"{"type":"history.seen","requestId":7}"#)
    #expect(try client.next("command_result")["requestId"] == 7)
    let performed = try #require(sidecar.world.performed.first)
    #expect(performed.request.path == "/api/v1/calls/history/seen")
    #expect(performed.request.method == .post)
    #expect(performed.deviceId == "phone")
  }

  @Test(
    "R12.1 a command that names no call is refused as REST would",
    arguments: [
      #"{"type":"call.accept"}"#, #"{"type":"call.accept","data":[]}"#,
      #"{"type":"call.accept","data":{}}"#, #"{"type":"call.accept","data":{"callId":1.5}}"#,
      #"{"type":"call.accept","data":{"callId":""}}"#,
      #"{"type":"call.accept","data":{"callId":null}}"#,
    ])
  func badCommands(text: String) throws {
    let sidecar = try RunningSidecar()
    let client = try sidecar.greeted("alice")
    client.send(text: text)
    let result = try client.next("command_result")
    #expect(result["requestId"] == .null)
    #expect(result["status"] == 400)
    #expect(result["body"]?["error"]?["code"] == "VALIDATION_ERROR")
    #expect(sidecar.world.performed.isEmpty)
  }

  @Test(arguments: [
    ("", "MALFORMED_JSON"), ("{", "MALFORMED_JSON"), ("[[[", "MALFORMED_JSON"),
    (String(repeating: "[", count: 5000), "MALFORMED_JSON"), ("null", "VALIDATION_ERROR"),
    ("[]", "VALIDATION_ERROR"), ("{}", "VALIDATION_ERROR"),
    (#"{"type":1}"#, "VALIDATION_ERROR"), (#"{"type":"nothing.known"}"#, "VALIDATION_ERROR"),
    (#"{"type":"call.end","requestId":{},"data":{"callId":"c"}}"#, "VALIDATION_ERROR"),
  ])
  func whatMakesNoSenseIsAnErrorFrame(text: String, code: String) throws {
    let sidecar = try RunningSidecar()
    let client = try sidecar.greeted("alice")
    client.send(text: text)
    let error = try client.next("error")
    #expect(error["code"]?.stringValue == code)
    #expect(error["message"]?.stringValue != nil)
    client.send(text: #"{"type":"heartbeat"}"#)
    _ = try client.next("heartbeat.ack")
  }

  @Test func binaryIsNotSpokenHere() throws {
    let sidecar = try RunningSidecar()
    let client = try sidecar.greeted("alice")
    client.send(frame: 2, [1])
    #expect(try client.closeCode() == 1003)
    #expect(client.isEnded())
  }

  @Test func aMessageIsBounded() throws {
    let sidecar = try RunningSidecar()
    let fits = try sidecar.greeted("alice")
    fits.send(text: #"{"type":"heartbeat","x":"\#(String(repeating: "x", count: 16_000))"}"#)
    _ = try fits.next("heartbeat.ack")
    let over = try sidecar.greeted("alice")
    over.send([0x81, 0xFE, 0x40, 0x01])
    #expect(try over.closeCode() == 1009)
  }

  @Test func aPeerThatBreaksTheProtocolIsToldWhy() throws {
    let sidecar = try RunningSidecar()
    for (bytes, code) in [
      ([0x81, 0x01, 0x61], 1002), ([0x91], 1002), ([0x83], 1002), ([0x80, 0x80, 0, 0, 0, 0], 1002),
      ([0x81, 0x81, 0, 0, 0, 0, 0xFF], 1007),
    ] as [([UInt8], UInt16)] {
      let client = try sidecar.greeted("alice")
      client.send(bytes)
      #expect(try client.closeCode() == code)
      #expect(client.isEnded())
    }
  }

  @Test func aCloseIsAnswered() throws {
    let sidecar = try RunningSidecar()
    let client = try sidecar.greeted("alice")
    client.send(frame: 8, [0x03, 0xE9, 0x62])
    #expect(try client.closeCode() == 1001)
    #expect(client.isEnded())
  }

  @Test func overTheRateCommandsAreRefused() throws {
    let sidecar = try RunningSidecar { $0.messagesPerSecond = 5 }
    let client = try sidecar.greeted("alice")
    client.send(
      texts: (0..<10).map {
        #"{"type":"call.end","requestId":\#($0),"data":{"callId":"c"}}"#
      })
    var statuses: [Int64: Int64] = [:]
    for _ in 0..<10 {
      let result = try client.next("command_result")
      statuses[result["requestId"]?.intValue ?? -1] = result["status"]?.intValue
    }
    #expect((0..<5).allSatisfy { statuses[$0] == 200 })
    #expect((5..<10).allSatisfy { statuses[$0] == 429 })
  }

  @Test func farOverTheRateTheConnectionIsClosed() throws {
    let sidecar = try RunningSidecar { $0.messagesPerSecond = 5 }
    let client = try sidecar.greeted("alice")
    client.send((0..<11).flatMap { _ in [0x8A, 0x80, 0, 0, 0, 0] as [UInt8] })
    #expect(try client.closeCode() == 1008)
    #expect(client.isEnded())
  }

  @Test func noLimitIsNoLimit() throws {
    let sidecar = try RunningSidecar { $0.messagesPerSecond = 0 }
    let client = try sidecar.greeted("alice")
    for _ in 0..<500 { client.send(text: #"{"type":"heartbeat"}"#) }
    for _ in 0..<500 { _ = try client.next("heartbeat.ack") }
  }

  /// Who asks and does not read is cut off at the limit of his queue.
  @Test func whoNeverReadsIsDropped() throws {
    let sidecar = try RunningSidecar {
      $0.messagesPerSecond = 0
      $0.server.queueBytes = 100_000
      // A busy machine takes seconds to send what follows, and the close frame is read after it.
      $0.server.closeSeconds = 60
    }
    let client = try sidecar.greeted("alice")
    let other = try sidecar.greeted("bob")
    for _ in 0..<20_000 { client.send(frame: 9, [UInt8](repeating: 1, count: 125)) }
    #expect(try client.closeCode() == 1013)
    #expect(client.isEnded())
    other.send(text: #"{"type":"heartbeat"}"#)
    _ = try other.next("heartbeat.ack")
  }

  @Test func theServerPingsAndDropsTheSilent() throws {
    let sidecar = try RunningSidecar {
      $0.server.pingSeconds = 1
      $0.server.silenceSeconds = 4
    }
    let client = try sidecar.greeted("alice")
    #expect(try client.frame() == .ping)
    for _ in 0..<3 {
      client.send(frame: 10)
      #expect(try client.frame() == .ping)
    }
    #expect(client.isEnded())
  }

  /// The time in which the server itself stood still (a suspended machine) is nobody's silence.
  @Test func whoSpokeWhileTheServerStoodStillIsNotSilent() throws {
    let sidecar = try RunningSidecar {
      $0.server.pingSeconds = 1
      $0.server.silenceSeconds = 2
    }
    let client = try sidecar.greeted("alice")
    let sleeper = try Client(sidecar.path)
    sleeper.send(Array("GET /ws?token=sleep:4 HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
    for _ in 0..<7 {
      client.send(text: #"{"type":"heartbeat"}"#)
      usleep(500_000)
    }
    usleep(800_000)
    client.send(text: #"{"type":"heartbeat"}"#)
    for _ in 0..<8 { _ = try client.next("heartbeat.ack") }
  }

  @Test func atShutdownEverybodyIsToldToComeBack() throws {
    let sidecar = try RunningSidecar()
    let clients = try (0..<20).map { try sidecar.greeted("user\($0)") }
    sidecar.beginStop()
    for client in clients {
      #expect(try client.closeCode() == 1001)
      client.send(frame: 8, [0x03, 0xE9])
    }
    for client in clients { #expect(client.isEnded()) }
    sidecar.stop()
    #expect(Set(sidecar.world.touched).count == 20)
    #expect(throws: (any Error).self) { try Client(sidecar.path) }
  }

  @Test func atShutdownNobodyIsWaitedForLong() throws {
    let sidecar = try RunningSidecar()
    let client = try sidecar.greeted("alice")
    let time = ContinuousClock().measure { sidecar.stop() }
    #expect(time < .seconds(60))
    #expect(try client.closeCode() == 1001)
  }
}
