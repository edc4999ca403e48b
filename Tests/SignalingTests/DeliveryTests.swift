import Glibc
import JSON
import Testing

@testable import Signaling

@Suite struct DeliveryTests {
  private func ids(_ client: Client, _ count: Int) throws -> [Int] {
    try (0..<count).map { _ in Int(try client.next()["id"]?.stringValue ?? "") ?? -1 }
  }

  @Test func connectedTellsWhatIsTrueNow() throws {
    let sidecar = try RunningSidecar()
    sidecar.world.emit("call_ended", to: "alice")
    sidecar.world.with {
      $0.activeCalls["alice"] = "c1"
      $0.unseenMissed["alice"] = 3
    }
    let one = try sidecar.client("alice").next("connected")
    let two = try sidecar.client("alice").next("connected")
    #expect(one["userId"]?.stringValue == "alice")
    #expect(one["heartbeatSeconds"]?.intValue == 25)
    #expect(one["lastEventId"]?.stringValue == "1")
    #expect(one["resync"] == nil)
    #expect(one["unseenMissed"]?.intValue == 3)
    #expect(one["activeCall"] == ["callId": "c1", "callType": "video"])
    #expect(one["connectionId"]?.stringValue?.utf8.count == 16)
    #expect(one["connectionId"] != two["connectionId"])
    #expect(try sidecar.client("bob").next("connected")["activeCall"] == .null)
  }

  @Test("R11.1 events reach every device of the user, in order, and nobody else")
  func everyDevice() throws {
    let sidecar = try RunningSidecar()
    let devices = try (0..<3).map { _ in try sidecar.greeted("alice") }
    let other = try sidecar.greeted("bob")
    for number in 0..<150 {
      sidecar.world.emit("call_ended", to: "alice", data: #"{"n":\#(number)}"#)
    }
    for device in devices { #expect(try ids(device, 150) == Array(1...150)) }
    let last = sidecar.world.emit("call_ended", to: "bob")
    #expect(try ids(other, 1) == [Int(last)])
  }

  @Test func anEventIsItsRow() throws {
    let sidecar = try RunningSidecar()
    let client = try sidecar.greeted("alice")
    sidecar.world.emit("call_accepted", to: "alice", data: #"{"callId":"c","acceptedBy":"bob"}"#)
    let frame = try client.next()
    #expect(frame["id"] == "1")
    #expect(frame["type"] == "call_accepted")
    #expect(frame["data"] == ["callId": "c", "acceptedBy": "bob"])
    #expect(frame["timestamp"]?.stringValue?.hasSuffix("Z") == true)
  }

  @Test("contract 11.1 an event about no call spares whoever caused it and reaches the others")
  func eventsAboutNoCall() throws {
    let sidecar = try RunningSidecar()
    let phone = try sidecar.greeted("alice", query: "deviceId=phone")
    let tablet = try sidecar.greeted("alice")
    sidecar.world.emit(
      "history_seen", to: "alice", callId: nil, data: #"{"missed":0}"#, device: "phone")
    sidecar.world.emit("call_ended", to: "alice")
    let frame = try tablet.next()
    #expect(frame["type"] == "history_seen")
    #expect(frame["data"] == ["missed": 0])
    #expect(try ids(tablet, 1) == [2])
    #expect(try ids(phone, 1) == [2])
  }

  @Test(arguments: [0, 1, 63, 64, 65, 128, 299, 300])
  func replayIsInOrderBeforeAnythingNew(last: Int) throws {
    let sidecar = try RunningSidecar()
    for _ in 0..<300 { sidecar.world.emit("call_ended", to: "alice") }
    let client = try sidecar.greeted("alice", query: "lastEventId=\(last)")
    sidecar.world.emit("call_ended", to: "alice")
    #expect(try ids(client, 301 - last) == Array(last + 1...301))
  }

  @Test func sessionsAtDifferentPlacesEachGetWhatTheyLack() throws {
    let sidecar = try RunningSidecar()
    for _ in 0..<100 { sidecar.world.emit("call_ended", to: "alice") }
    let clients = try [0, 10, 99, 100].map {
      ($0, try sidecar.greeted("alice", query: "lastEventId=\($0)"))
    }
    for _ in 0..<100 { sidecar.world.emit("call_ended", to: "alice") }
    for (last, client) in clients {
      #expect(try ids(client, 200 - last) == Array(last + 1...200))
    }
  }

  @Test func resyncSaysThatSomethingIsMissing() throws {
    let sidecar = try RunningSidecar()
    for _ in 0..<5 { sidecar.world.emit("call_ended", to: "alice") }
    sidecar.world.with { state in state.events["alice"]!.removeFirst(2) }
    for (last, resync) in [(0, true), (1, true), (2, false), (5, false), (6, true)] {
      let client = try sidecar.client("alice", query: "lastEventId=\(last)")
      #expect((try client.next("connected")["resync"]?.boolValue ?? false) == resync, "\(last)")
      if last < 5 { #expect(try ids(client, 1) == [max(last, 2) + 1]) }
    }
    sidecar.world.with { state in state.events["alice"] = [] }
    for (last, resync) in [(4, true), (5, false)] {
      let client = try sidecar.client("alice", query: "lastEventId=\(last)")
      #expect((try client.next("connected")["resync"]?.boolValue ?? false) == resync)
    }
    // One from the future goes on from where the user really is.
    let future = try sidecar.greeted("alice", query: "lastEventId=1000")
    sidecar.world.emit("call_ended", to: "alice")
    #expect(try ids(future, 1) == [6])
  }

  @Test("R2.1 a call that still rings is invited again under its first id")
  func invitedAgain() throws {
    let sidecar = try RunningSidecar()
    sidecar.world.emit("call_ended", to: "alice")
    sidecar.world.emit("call_invitation", to: "alice", callId: "c1")
    sidecar.world.emit("call_ended", to: "alice")
    sidecar.world.with { $0.activeCalls["alice"] = "c1" }
    let client = try sidecar.greeted("alice")
    #expect(try ids(client, 1) == [2])
    sidecar.world.emit("call_ended", to: "alice")
    #expect(try ids(client, 1) == [4])
    // Who says where he is gets it once, and only if he lacks it.
    #expect(try ids(try sidecar.greeted("alice", query: "lastEventId=1"), 3) == [2, 3, 4])
    #expect(try ids(try sidecar.greeted("alice", query: "lastEventId=2"), 2) == [3, 4])
    // Who is told that what he knows is worth nothing, too.
    #expect(try ids(try sidecar.greeted("alice", query: "lastEventId=1000"), 1) == [2])
  }

  @Test("R1.3 a call rings once its invitation has reached a device, and is said so once")
  func ringing() throws {
    let sidecar = try RunningSidecar()
    let devices = try (0..<3).map { _ in try sidecar.greeted("alice") }
    sidecar.world.emit("call_invitation", to: "alice", callId: "c1")
    for device in devices { _ = try device.next("call_invitation") }
    #expect(eventually { sidecar.world.ringing == ["c1"] })
    sidecar.world.emit("call_invitation", to: "alice", callId: "c2")
    for device in devices { _ = try device.next("call_invitation") }
    #expect(eventually { sidecar.world.ringing == ["c1", "c2"] })
  }

  @Test("R1.3 a call rings where its invitation is, though the server that sent it died of it")
  func ringingAfterACrash() throws {
    let sidecar = try RunningSidecar()
    sidecar.world.emit("call_ended", to: "alice")
    sidecar.world.emit("call_invitation", to: "alice", callId: "c1")
    sidecar.world.with { $0.activeCalls["alice"] = "c1" }
    // This one does not have it yet: it rings when it does.
    let behind = try sidecar.greeted("alice", query: "lastEventId=1")
    #expect(try ids(behind, 1) == [2])
    #expect(eventually { sidecar.world.ringing == ["c1"] })
    let another = try RunningSidecar()
    another.world.emit("call_invitation", to: "alice", callId: "c2")
    another.world.with { $0.activeCalls["alice"] = "c2" }
    let back = try another.greeted("alice", query: "lastEventId=1")
    #expect(eventually { another.world.ringing == ["c2"] })
    another.world.emit("call_ended", to: "alice")
    #expect(try ids(back, 1) == [2])
  }

  @Test("R1.3 a call that could not be marked as ringing is marked a little later")
  func ringingIsTriedAgain() throws {
    let sidecar = try RunningSidecar()
    let callee = try sidecar.greeted("alice")
    sidecar.world.with { $0.failuresToRing = 2 }
    sidecar.world.emit("call_invitation", to: "alice", callId: "c1")
    _ = try callee.next("call_invitation")
    #expect(eventually { sidecar.world.ringing == ["c1"] })
  }

  @Test("R1.3 a call rings whatever the difference between the database's clock and this one's")
  func ringingAndClocks() throws {
    let sidecar = try RunningSidecar()
    let callee = try sidecar.greeted("alice")
    sidecar.world.with { $0.clockMilliseconds = -600_000 }
    sidecar.world.emit("call_invitation", to: "alice", callId: "c1")
    _ = try callee.next("call_invitation")
    #expect(eventually { sidecar.world.ringing == ["c1"] })
  }

  @Test func theDeviceThatAnsweredIsSparedTheNews() throws {
    let sidecar = try RunningSidecar()
    let phone = try sidecar.client("alice", query: "deviceId=phone")
    let phoneId = try #require(try phone.next("connected")["connectionId"]?.stringValue)
    let tablet = try sidecar.greeted("alice", query: "deviceId=tablet")
    let unnamed = try sidecar.greeted("alice")
    let type = "call_answered_elsewhere"
    sidecar.world.emit(type, to: "alice", device: "phone")
    sidecar.world.emit(type, to: "alice", device: "tablet", connection: phoneId)
    sidecar.world.emit("call_ended", to: "alice")
    #expect(try ids(phone, 1) == [3])
    #expect(try ids(tablet, 2) == [1, 3])
    #expect(try ids(unnamed, 3) == [1, 2, 3])
  }

  /// Swift's strings compare equal that Unicode calls equivalent.
  @Test func aDeviceWhoseNameOnlyLooksTheSameIsNotSpared() throws {
    let sidecar = try RunningSidecar()
    let client = try sidecar.greeted("alice", query: "deviceId=caf%C3%A9")
    sidecar.world.emit("call_answered_elsewhere", to: "alice", device: "cafe\u{301}")
    sidecar.world.emit("call_answered_elsewhere", to: "alice", device: "caf\u{e9}")
    sidecar.world.emit("call_ended", to: "alice")
    #expect(try ids(client, 2) == [1, 3])
  }

  @Test func chatIsInUpperCase() throws {
    let sidecar = try RunningSidecar()
    sidecar.world.with { $0.activeCalls["alice"] = "c1" }
    let client = try sidecar.client("alice", path: "/ws/chat")
    #expect(try client.next("connected")["activeCall"]?["callType"] == "VIDEO")
    sidecar.world.emit(
      "call_quality_warning", to: "alice",
      data: #"{"callId":"c1","networkQuality":"veryBad","other":"veryBad"}"#)
    #expect(
      try client.next("call_quality_warning")
        == ["callId": "c1", "networkQuality": "VERY_BAD", "other": "veryBad"])
    client.send(text: #"{"type":"call.accept","data":{"callId":"c1"}}"#)
    let result = try client.next("command_result")
    #expect(result["status"] == 200)
    #expect(result["body"]?["data"]?["status"] == "CONNECTING")
  }

  @Test func presenceIsNotedNowAndThen() throws {
    let sidecar = try RunningSidecar { $0.presenceSeconds = 1 }
    let client = try sidecar.greeted("alice")
    #expect(eventually { sidecar.world.touched.filter { $0 == "alice" }.count >= 2 })
    _ = client
  }

  @Test func departuresAndDeliveriesAreNotedAtOnce() throws {
    let sidecar = try RunningSidecar { $0.presenceSeconds = 1000 }
    let one = try sidecar.greeted("alice")
    let two = try sidecar.greeted("alice")
    one.send(frame: 8)
    #expect(one.isEnded())
    let bob = try sidecar.greeted("bob")
    sidecar.world.emit("call_ended", to: "bob")
    _ = try bob.next("call_ended")
    #expect(eventually { sidecar.world.touched == ["bob"] })
    two.send(frame: 8)
    #expect(eventually { sidecar.world.touched == ["bob", "alice"] })
  }

  /// The line of one user may be locked for long.
  @Test("§3 events are polled for while presence is being noted, however long that takes")
  func presenceHoldsNobodyUp() throws {
    let sidecar = try RunningSidecar()
    let bob = try sidecar.greeted("bob")
    defer { sidecar.world.gate.open() }
    sidecar.world.with { $0.isTouchHeld = true }
    try sidecar.greeted("alice").send(frame: 8)
    #expect(eventually { sidecar.world.gate.isReached })
    sidecar.world.emit("call_ended", to: "bob")
    _ = try bob.next("call_ended")
  }

  /// A command waits for the lines of its call, and who sends one may send many.
  @Test("§3 events are told and connections opened while commands wait for a lock")
  func commandsHoldNobodyUp() throws {
    let sidecar = try RunningSidecar { $0.databaseThreads = 1 }
    let (alice, bob) = (try sidecar.greeted("alice"), try sidecar.greeted("bob"))
    let gate = sidecar.world.gate
    defer { gate.open() }
    sidecar.world.with { state in
      state.answer = { _ in
        gate.pass()
        return .json(Array("{}".utf8))
      }
    }
    alice.send(text: #"{"type":"call.end","data":{"callId":"c"}}"#)
    #expect(eventually { !sidecar.world.performed.isEmpty })
    sidecar.world.emit("call_ended", to: "bob")
    _ = try bob.next("call_ended")
    _ = try sidecar.client("carol").next("connected")
    gate.open()
    _ = try alice.next("command_result")
  }

  @Test("R1.4 whatever happens while the database is away is delivered when it is back")
  func outage() throws {
    let sidecar = try RunningSidecar()
    let client = try sidecar.greeted("alice")
    sidecar.world.emit("call_ended", to: "alice")
    #expect(try ids(client, 1) == [1])
    sidecar.world.with { $0.isDown = true }
    sidecar.world.emit("call_ended", to: "alice")
    client.send(text: #"{"type":"heartbeat"}"#)
    _ = try client.next("heartbeat.ack")
    let waiting = try sidecar.client("alice", query: "lastEventId=0")
    #expect(throws: Client.TimedOut.self) { try client.next(700) }
    sidecar.world.with { $0.isDown = false }
    #expect(try ids(client, 1) == [2])
    _ = try waiting.next("connected")
    #expect(try ids(waiting, 2) == [1, 2])
  }

  /// A reader that does not read is not buffered for: it stays behind and catches up.
  @Test func aSlowReaderCatchesUp() throws {
    let sidecar = try RunningSidecar { $0.server.queueBytes = 100_000 }
    let slow = try sidecar.greeted("alice")
    let quick = try sidecar.greeted("alice")
    let data = #"{"x":"\#(String(repeating: "x", count: 1000))"}"#
    for _ in 0..<2000 { sidecar.world.emit("call_ended", to: "alice", data: data) }
    #expect(try ids(quick, 2000) == Array(1...2000))
    #expect(try ids(slow, 2000) == Array(1...2000))
  }

  /// A page of these is more than may wait for one connection, however often it comes back.
  @Test func largeEventsAreSentAFewAtATime() throws {
    let sidecar = try RunningSidecar()
    let data = #"{"callerAvatar":"\#(String(repeating: "x", count: 60_000))"}"#
    for _ in 0..<70 { sidecar.world.emit("call_invitation", to: "alice", data: data) }
    let client = try sidecar.greeted("alice", query: "lastEventId=0")
    usleep(500_000)
    #expect(try ids(client, 70) == Array(1...70))
  }
}
