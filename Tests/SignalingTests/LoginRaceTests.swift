// What comes at a login's end, or just before or behind it (contract §10).

import Glibc
import HTTP
import JSON
import System
import Testing

@testable import Signaling

@Suite struct LoginRaceTests {
  private let sidecar: RunningSidecar
  private var world: World { sidecar.world }

  init() throws { sidecar = try RunningSidecar() }

  /// Holds up the event loop, as when the process is suspended, while `body` runs.
  private func whileSuspended(_ body: () -> Void) throws {
    let sleeper = try Client(sidecar.path)
    sleeper.send(Array("GET /ws?token=hold HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
    #expect(eventually { world.gate.isReached })
    body()
    world.gate.open()
  }

  @Test func afterTheEndACommandIsRefusedBeforeTheTimerHasFired() throws {
    let client = try sidecar.greeted("alice", until: sidecar.end(in: 3600))
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
    let client = try sidecar.greeted("alice", until: sidecar.end(in: 3600))
    let until = sidecar.end(in: 9000)
    try whileSuspended {
      world.step(seconds: 3601)
      world.emit("call_ended", to: "alice")
      client.renew("alice", until: until)
      client.send(text: #"{"type":"call.end","data":{"callId":"c"}}"#)
    }
    // Nothing is told of what happened after the end before the login is renewed.
    #expect(try client.renewed()?.stringValue == until.iso8601)
    let rest = try (0..<2).map { _ in try client.next() }
    #expect(Set(rest.compactMap { $0["type"]?.stringValue }) == ["call_ended", "command_result"])
    #expect(try sidecar.metric("chattrix_signaling_expirations_total") == "0")
  }

  /// Each message by the login of its moment, also where all of them come at once.
  @Test func messagesCountInTheirOrder() throws {
    let client = try sidecar.greeted("alice", until: sidecar.end(in: 3600))
    let command = #"{"type":"call.end","data":{"callId":"c"}}"#
    try whileSuspended {
      world.step(seconds: 3601)
      client.send(text: command)
      client.renew("alice", until: sidecar.end(in: 600))
      client.send(text: command)
      client.renew("bob", until: sidecar.end(in: 600))
      client.send(text: command)
    }
    let statuses = try (0..<5).map { _ in try client.next("command_result")["status"]?.intValue }
    // The commands that are carried out are answered when they are through.
    #expect(statuses.prefix(2) == [401, 200])
    #expect(statuses.dropFirst(2).sorted { ($0 ?? 0) < ($1 ?? 0) } == [200, 200, 403])
    #expect(world.performed.count == 2)
  }

  @Test func aRenewalDuringReplayDisturbsNothing() throws {
    for _ in 0..<300 { world.emit("call_ended", to: "alice") }
    let client = try sidecar.client("alice", query: "lastEventId=0", until: sidecar.end(in: 3600))
    client.renew("alice", until: sidecar.end(in: 9000))
    _ = try client.next("connected")
    for _ in 0..<3 { client.renew("alice", until: sidecar.end(in: 9000)) }
    var ids: [Int] = []
    var results = 0
    while ids.count < 300 || results < 4 {
      let frame = try client.next()
      if let id = frame["id"]?.stringValue {
        ids.append(Int(id) ?? -1)
      } else {
        #expect(frame["data"]?["status"] == 200)
        results += 1
      }
    }
    #expect(ids == Array(1...300))
    world.step(seconds: 4000)
    world.emit("call_ended", to: "alice")
    #expect(try client.next()["id"] == "301")
  }

  /// Whose last word is a renewal, or who leaves when the end comes: there is nothing left of them.
  @Test func whoHasLeftIsNotEnded() throws {
    let until = sidecar.end(in: 300)
    let clients = try (0..<4).map { _ in try sidecar.greeted("alice", until: until) }
    clients[0].renew("alice", until: sidecar.end(in: 600))
    clients[0].send(frame: 8, [0x03, 0xE8])
    clients[1].send(frame: 8, [0x03, 0xE8])
    clients[1].renew("alice", until: sidecar.end(in: 600))
    clients[2].hangUp()
    for client in clients.prefix(3) { #expect(client.isEnded()) }
    // Their descriptors are others' now, whose logins never end.
    let others = try (0..<8).map { _ in try sidecar.greeted("bob") }
    world.step(seconds: 9000)
    #expect(try clients[3].closeCode() == 4401)
    for other in others {
      other.send(text: #"{"type":"heartbeat"}"#)
      _ = try other.next("heartbeat.ack")
    }
    #expect(try sidecar.metric("chattrix_signaling_expirations_total") == "1")
  }

  /// A few at a time, so that others' events need not wait; but nothing is done for the rest.
  @Test func manyThatEndAtOnce() throws {
    let sidecar = try RunningSidecar { $0.endsPerTick = 1 }
    let until = sidecar.end(in: 3600)
    let clients = try (0..<8).map { try sidecar.greeted("user\($0)", until: until) }
    sidecar.world.step(seconds: 3601)
    for number in 0..<8 { sidecar.world.emit("call_ended", to: "user\(number)") }
    for client in clients { client.send(text: #"{"type":"call.end","data":{"callId":"c"}}"#) }
    for client in clients {
      var frame = try client.frameButPings()
      if case .text(let message) = frame {
        #expect(message["data"]?["status"] == 401)
        frame = try client.frameButPings()
      }
      #expect(frame == .close(4401))
    }
    #expect(sidecar.world.performed.isEmpty)
    #expect(try sidecar.metric("chattrix_signaling_expirations_total") == "8")
  }

  /// The end does not wait for who does not read.
  @Test func aSlowReaderEndsToo() throws {
    let client = try sidecar.greeted("alice", until: sidecar.end(in: 3600))
    let data = #"{"x":"\#(String(repeating: "x", count: 1000))"}"#
    for _ in 0..<2000 { world.emit("call_ended", to: "alice", data: data) }
    usleep(500_000)
    world.step(seconds: 3601)
    #expect(eventually { (try? sidecar.metric("chattrix_signaling_expirations_total")) == "1" })
    sleep(2)
    var ids: [Int] = []
    do {
      while true {
        guard case .text(let frame) = try client.frame() else { break }
        ids.append(Int(frame["id"]?.stringValue ?? "") ?? -1)
      }
    } catch is Client.Ended {}
    #expect(ids == Array(1..<1 + ids.count))
    #expect(ids.count < 2000)
  }

  @Test(
    "§10 a command that waits for its turn beyond the end is not carried out, unless it is renewed",
    arguments: [true, false])
  func waitingCommands(isRenewed: Bool) throws {
    let client = try sidecar.greeted("alice", until: sidecar.end(in: 3600))
    let gate = world.gate
    defer { gate.open() }
    world.with { state in
      state.answer = { _ in
        gate.pass()
        return .json(Array("{}".utf8))
      }
    }
    for number in 1...2 {
      client.send(text: #"{"type":"call.end","requestId":\#(number),"data":{"callId":"c"}}"#)
    }
    #expect(eventually { world.performed.count == 1 })
    if isRenewed {
      client.renew("alice", until: sidecar.end(in: 9000))
      _ = try client.renewed()
    }
    world.step(seconds: 3601)
    if isRenewed {
      gate.open()
      for _ in 1...2 { #expect(try client.next("command_result")["status"] == 200) }
    } else {
      #expect(try client.closeCode() == 4401)
      gate.open()
      sleep(1)
    }
    #expect(world.performed.count == (isRenewed ? 2 : 1))
  }

  @Test func theClockMayBeSetBackAndForth() throws {
    let until = sidecar.end(in: 300)
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
    let other = try sidecar.greeted("alice", until: sidecar.end(in: 300))
    world.step(seconds: 86_400)
    #expect(try other.frameButPings() == .close(4401))
  }

  @Test func aLoginThatEndsBeforeConnectedIsOver() throws {
    world.with { $0.isDown = true }
    let client = try sidecar.client("alice", until: sidecar.end(in: 3600))
    client.send(text: #"{"type":"heartbeat"}"#)
    world.step(seconds: 3601)
    #expect(try client.frameButPings() == .close(4401))
    #expect(client.isEnded())
  }

  @Test func eachSocketOfAUserHasAnEndOfItsOwn() throws {
    let clients = try (0..<10).map {
      try sidecar.greeted("alice", until: sidecar.end(in: 300 + $0))
    }
    for (number, client) in clients.enumerated() where number % 2 == 0 {
      client.renew("alice", until: sidecar.end(in: 9000))
      _ = try client.renewed()
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
    #expect(try sidecar.metric("chattrix_signaling_expirations_total") == "5")
  }
}
