import JSON
import Testing

@testable import Signaling

@Suite struct AdmissionTests {
  @Test("R9.1 each way of showing a login opens a connection")
  func waysIn() throws {
    let sidecar = try RunningSidecar()
    sidecar.world.with { $0.tickets["0123456789abcdef"] = "user:carol" }
    let ways: [(target: String, headers: [String], user: String)] = [
      ("/ws", ["Authorization: Bearer user:alice"], "alice"),
      ("/ws?ticket=0123456789abcdef", [], "carol"),
      ("/ws", ["Sec-WebSocket-Protocol: chattrix.v1, bearer.user.bob"], "bob"),
      ("/ws/chat?token=user%3Adave", [], "dave"),
      // The header goes first.
      ("/ws?token=bad", ["Authorization: Bearer user:alice"], "alice"),
    ]
    for way in ways {
      let client = try Client(sidecar.path)
      let answer = try client.upgrade(way.target, way.headers)
      #expect(answer.status == 101)
      #expect(answer.field("Sec-WebSocket-Accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
      let selected = way.headers.first?.hasPrefix("Sec-") == true ? "chattrix.v1" : nil
      #expect(answer.field("Sec-WebSocket-Protocol") == selected)
      #expect(try client.next("connected")["userId"]?.stringValue == way.user)
    }
  }

  @Test(
    "R9.5 bad or absent credentials are a 401 with the error's body, and no upgrade",
    arguments: [
      ("/ws", []), ("/ws?token=rubbish", []), ("/ws?token=", []), ("/ws?ticket=", []),
      ("/ws?ticket=ffffffffffffffff", []), ("/ws?ticket=../../etc", []),
      ("/ws?token=user:alice", ["Authorization: Basic x"]),
      ("/ws?token=user:alice", ["Authorization: Bearer rubbish"]),
      ("/ws", ["Sec-WebSocket-Protocol: chattrix.v1"]),
      ("/ws", ["Sec-WebSocket-Protocol: chattrix.v1, bearer.rubbish"]),
    ])
  func noWayIn(target: String, headers: [String]) throws {
    let sidecar = try RunningSidecar()
    let answer = try Client(sidecar.path).upgrade(target, headers + ["X-Request-Id: abc-1"])
    #expect(answer.status == 401)
    #expect(answer.body?["error"]?["code"]?.stringValue == "AUTHENTICATION_FAILED")
    #expect(answer.body?["requestId"]?.stringValue == "abc-1")
    #expect(answer.field("Connection") == "close")
  }

  @Test func aTicketWorksOnceAndIsNotUsedUpByAFailedHandshake() throws {
    let sidecar = try RunningSidecar()
    sidecar.world.with { $0.tickets["0123456789abcdef"] = "user:carol" }
    let target = "/ws?ticket=0123456789abcdef"
    let plain = "GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n"
    #expect(try Client(sidecar.path).request(plain).status == 426)
    #expect(try Client(sidecar.path).upgrade(target).status == 101)
    #expect(try Client(sidecar.path).upgrade(target).status == 401)
  }

  @Test func withoutRedisTicketsAreRefusedForNow() throws {
    let sidecar = try RunningSidecar()
    sidecar.world.with { $0.isDown = true }
    #expect(try Client(sidecar.path).upgrade("/ws?ticket=0123456789abcdef").status == 503)
  }

  @Test(arguments: [
    ("/ws?token=user:a&lastEventId=x", 400), ("/ws?token=user:a&lastEventId=-1", 400),
    ("/ws?token=user:a&lastEventId=99999999999999999999", 400),
    ("/ws?token=user:a&deviceId=", 400), ("/ws?token=user:a&x=%zz", 400),
    ("/ws?token=user:a&deviceId=\(String(repeating: "d", count: 129))", 400),
    ("/ws?token=user:a&deviceId=\(String(repeating: "d", count: 128))", 101),
    ("/ws?token=user:a&lastEventId=0", 101), ("/", 404), ("/ws/", 404), ("/ws/other", 404),
  ])
  func parametersAreChecked(target: String, status: Int) throws {
    let sidecar = try RunningSidecar()
    #expect(try Client(sidecar.path).upgrade(target).status == status)
  }

  @Test func whatIsNoHandshakeIsAnHTTPError() throws {
    let sidecar = try RunningSidecar()
    let rest = "Host: a\r\nAuthorization: Bearer user:a\r\n"
    func status(_ text: String) throws -> Int {
      try Client(sidecar.path).request(text).status
    }
    #expect(try status("GET /ws HTTP/1.1\r\n\(rest)\r\n") == 426)
    #expect(try status("POST /ws HTTP/1.1\r\n\(rest)\r\n") == 405)
    #expect(try status("GET /ws HTTP/1.1\nHost: a\n\n") == 400)
    #expect(try status("GET /ws HTTP/3.0\r\n") == 505)
    #expect(try status("GET /\(String(repeating: "x", count: 17_000)) HTTP/1.1\r\n") == 431)
    let version = try Client(sidecar.path).request(
      """
      GET /ws HTTP/1.1\r\n\(rest)Upgrade: websocket\r\nConnection: Upgrade\r\n\
      Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n
      """)
    #expect(version.status == 426)
    #expect(version.field("Sec-WebSocket-Version") == "13")
  }

  @Test(arguments: [
    ("https://localhost:8443", 101), ("http://LOCALHOST:8443", 101),
    ("https://localhost", 403), ("https://evil.example", 403), ("null", 403),
    ("https://localhost:8443.evil.example", 403), ("https://evil.example/localhost:8443", 403),
  ])
  func originsHaveToBeTheHostsOwn(origin: String, status: Int) throws {
    let sidecar = try RunningSidecar()
    let answer = try Client(sidecar.path).upgrade("/ws?token=user:a", ["Origin: \(origin)"])
    #expect(answer.status == status)
    #expect(status == 101 || answer.body?["error"]?["code"]?.stringValue == "ORIGIN_NOT_ALLOWED")
  }

  @Test func anAllowListStandsInPlaceOfTheHost() throws {
    let sidecar = try RunningSidecar { $0.allowedOrigins = ["https://app.example"] }
    func status(_ origin: String) throws -> Int {
      try Client(sidecar.path).upgrade("/ws?token=user:a", ["Origin: \(origin)"]).status
    }
    #expect(try status("https://app.example") == 101)
    #expect(try status("https://localhost:8443") == 403)
    #expect(try Client(sidecar.path).upgrade("/ws?token=user:a").status == 101)
  }

  @Test func connectionsOfAUserAreLimited() throws {
    let sidecar = try RunningSidecar { $0.connectionsPerUser = 2 }
    let first = try sidecar.greeted("a")
    let second = try sidecar.greeted("a")
    let third = try Client(sidecar.path).upgrade("/ws?token=user:a")
    #expect(third.status == 429)
    #expect(third.field("Retry-After") == "10")
    _ = try sidecar.greeted("b")
    first.send(frame: 8, [0x03, 0xE8])
    #expect(try first.closeCode() == 1000)
    #expect(first.isEnded())
    #expect(eventually { (try? sidecar.greeted("a")) != nil })
    _ = second
  }

  @Test func connectionsOfAnAddressAreLimited() throws {
    let sidecar = try RunningSidecar { $0.connectionsPerAddress = 1 }
    let first = try sidecar.client("a", headers: ["X-Real-IP: 192.0.2.1"])
    #expect(throws: Client.Refused.self) {
      try sidecar.client("b", headers: ["X-Real-IP: 192.0.2.1"])
    }
    _ = try sidecar.client("b", headers: ["X-Real-IP: 192.0.2.2"])
    for _ in 0..<3 { _ = try sidecar.client("b", headers: ["X-Real-IP: 127.0.0.1"]) }
    _ = first
  }

  /// A network has 2^64 of them to choose from (RFC 4291, 2.5.1).
  @Test func addressesOfOneIPv6NetworkAreOne() throws {
    let sidecar = try RunningSidecar { $0.connectionsPerAddress = 1 }
    let first = try sidecar.client("a", headers: ["X-Real-IP: 2001:db8:0:7::1"])
    #expect(throws: Client.Refused.self) {
      try sidecar.client("b", headers: ["X-Real-IP: 2001:DB8:0:7:ffff::2"])
    }
    let second = try sidecar.client("b", headers: ["X-Real-IP: 2001:db8:0:8::1"])
    first.hangUp()
    #expect(
      eventually { (try? sidecar.client("c", headers: ["X-Real-IP: 2001:db8:0:7::3"])) != nil })
    _ = try sidecar.client("d", headers: ["X-Real-IP: ::1"])
    _ = try sidecar.client("e", headers: ["X-Real-IP: 192.0.2.1"])
    #expect(throws: Client.Refused.self) {
      try sidecar.client("f", headers: ["X-Real-IP: ::ffff:192.0.2.1"])
    }
    _ = second
  }

  @Test func aHeadHasToComeInTime() throws {
    let sidecar = try RunningSidecar { $0.server.headSeconds = 1 }
    let client = try Client(sidecar.path)
    client.send(Array("GET /ws HTTP/1.1\r\n".utf8))
    #expect(client.isEnded())
  }

  @Test func operationsAreForThisHost() throws {
    let sidecar = try RunningSidecar()
    func get(_ path: String, _ field: String = "X: y") throws -> Client.Answer {
      try Client(sidecar.path).request("GET \(path) HTTP/1.1\r\nHost: a\r\n\(field)\r\n\r\n")
    }
    #expect(try get("/healthz").body?["status"]?.stringValue == "ok")
    #expect(try get("/readyz").status == 200)
    #expect(try get("/metrics", "X-Real-IP: 127.0.0.1").status == 200)
    #expect(try get("/metrics", "X-Real-IP: 192.0.2.1").status == 404)
    sidecar.world.with { $0.isDown = true }
    #expect(eventually { (try? get("/readyz").status) == 503 })
    let unready = try get("/readyz")
    #expect(unready.body?["database"]?.stringValue == "unavailable")
    #expect(unready.field("Retry-After") == "1")
  }

  @Test("§7.14 what answers and takes no writes is not ready, and is ready again by itself")
  func readinessTriesWrites() throws {
    let sidecar = try RunningSidecar()
    func status() -> String? {
      let answer = try? Client(sidecar.path).request("GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n")
      return answer?.body?["status"]?.stringValue
    }
    sidecar.world.with { $0.isReadOnly = true }
    #expect(eventually { status() == "unavailable" })
    sidecar.world.with { ($0.isReadOnly, $0.isRedisFull) = (false, true) }
    #expect(eventually { status() == "degraded" })
    sidecar.world.with { $0.isRedisFull = false }
    #expect(eventually { status() == "ready" })
  }
}
