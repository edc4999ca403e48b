import CLinux
import FastCGI
import Glibc
import HTTP
import Synchronization
import System
import Testing

/// Whether all that are to be answered have connected: the tests run one after the other.
private let haveConnected = Atomic(false)

/// A worker on a thread of the test's own process. It is told to go by a request to `/stop`, whose
/// handler raises the signal on that very thread, where it is blocked, as it is in a real worker.
private func withWorker(
  bodyTimeoutMilliseconds: Int64 = 60_000,
  _ body: (FastCGIClient) throws -> Void
) throws {
  let path = "/tmp/chattrix-fastcgi-test-\(getpid())-\(Randomness.system.hexadecimal(bytes: 4))"
  let address = SocketAddress.unix(path: path)
  let listening = try listen(on: address)
  defer { unlink(path) }
  let raw = listening.raw
  let thread = try Thread.start(name: "worker") {
    do {
      let worker = try FastCGIWorker(
        listening: raw, signals: [SIGUSR2], bodyTimeoutMilliseconds: bodyTimeoutMilliseconds)
      try worker.serve(respond) { fault, requestId in
        HTTPResponse.text("\(fault) \(requestId)", status: fault.status)
      }
    } catch { Issue.record("the worker failed: \(error)") }
  }
  let client = FastCGIClient(address: address)
  let result = Result { try body(client) }
  haveConnected.store(false, ordering: .relaxed)
  let last = try client.begin(get("/stop"))
  let later = try [client.begin(get("/1")).release(), client.begin(get("/2")).release()]
  haveConnected.store(true, ordering: .relaxed)
  #expect(client.receive(last).status == 200, "the request in hand is answered")
  for raw in later {
    #expect(client.receive(Descriptor(raw)).status == 201, "and those that had connected")
  }
  thread.join()
  try result.get()
}

private func hasInput(_ descriptor: Int32, withinMilliseconds limit: Int32) -> Bool {
  var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
  return poll(&polled, 1, limit) > 0
}

private func get(_ target: String) -> [UInt8] {
  encodedRequest([("REQUEST_METHOD", "GET"), ("REQUEST_URI", target)], body: [])
}

private func respond(_ request: HTTPRequest) -> HTTPResponse {
  switch request.path {
  case "/stop":
    raise(SIGUSR2)
    while !haveConnected.load(ordering: .relaxed) { usleep(1000) }
    return .text("stopped")
  case "/large": return .text(String(repeating: "x", count: 300_000))
  case "/injection":
    return HTTPResponse(status: 204, headers: ["X-Evil": "a\r\nSet-Cookie: b"])
  default:
    let text =
      "\(request.method.name) \(request.path) \(request.query) \(request.body.count) "
      + "\(request.bodyExceedsLimit) \(request.requestId)"
    return .text(text, status: 201)
  }
}

@Suite(.serialized) struct FastCGIWorkerTests {
  @Test("Requests are answered one after the other")
  func answers() throws {
    try withWorker { client in
      for number in 1...3 {
        let reply = try client.send(
          "POST", "/p?n=\(number)", [("REQUEST_ID", "abcdefgh")], body: Array("{}".utf8))
        #expect(reply.isComplete)
        #expect(reply.output.hasPrefix("Status: 201 Created\r\n"))
        #expect(reply.output.contains("\r\nContent-Length: \(reply.body.utf8.count)\r\n"))
        #expect(reply.body == "POST /p n=\(number) 2 false abcdefgh")
      }
    }
  }

  @Test("R12.5 An id is made up where the server gives none")
  func madeUpId() throws {
    try withWorker { client in
      let id = try client.send("GET", "/").body.split(separator: " ").last ?? ""
      #expect(id.count == 32)
      #expect(try client.send("GET", "/").body.split(separator: " ").last != id)
    }
  }

  @Test("The answer to HEAD says how long its body would be, and has none")
  func head() throws {
    try withWorker { client in
      let reply = try client.send("HEAD", "/large")
      #expect(reply.output.contains("Content-Length: 300000\r\n"))
      #expect(reply.body == "")
    }
  }

  @Test("A body up to the limit arrives, a longer one is only said to be longer")
  func bodyLimit() throws {
    try withWorker { client in
      let limit = FastCGIWorker.bodyLimit
      for count in [0, 1, limit - 1, limit] {
        let body = [UInt8](repeating: 0x20, count: count)
        let reply = try client.send("POST", "/", [("REQUEST_ID", "abcdefgh")], body: body)
        #expect(reply.body == "POST /  \(count) false abcdefgh")
      }
      for count in [limit + 1, 2 * limit + 2, 900_000] {
        let body = [UInt8](repeating: 0x20, count: count)
        let reply = try client.send("POST", "/", [("REQUEST_ID", "abcdefgh")], body: body)
        #expect(reply.body == "POST /  0 true abcdefgh", "\(count)")
      }
    }
  }

  @Test(
    "A body has its time as a whole, however it comes; one that was too long before is said to be",
    arguments: [
      (0, 0, 408, "late abcdefgh"), (0, 1, 408, "late abcdefgh"),
      (FastCGIWorker.bodyLimit + 1, 1, 201, "POST /  0 true abcdefgh"),
    ])
  func lateBody(sentAtOnce: Int, bytesAtATime: Int, status: Int, answer: String) throws {
    try withWorker(bodyTimeoutMilliseconds: 800) { client in
      let parameters = [
        ("REQUEST_METHOD", "POST"), ("REQUEST_URI", "/"), ("REQUEST_ID", "abcdefgh"),
      ]
      let body = [UInt8](repeating: 0x20, count: sentAtOnce)
      let unended = encodedRequest(parameters, body: body).dropLast(
        record(.standardInput, []).count)
      let connection = try client.begin(Array(unended))
      let piece = record(.standardInput, [UInt8](repeating: 0x20, count: bytesAtATime))
      for _ in 0..<200 where !hasInput(connection.raw, withinMilliseconds: 20) {
        if bytesAtATime > 0 { _ = send(connection.raw, piece, piece.count, Int32(MSG_NOSIGNAL)) }
      }
      let reply = client.receive(connection)
      #expect((reply.status, reply.body) == (status, answer))
      #expect(reply.isComplete)
      #expect(try client.send("GET", "/").status == 201)
    }
  }

  @Test("A body that comes in parts, in time, is whole")
  func bodyInParts() throws {
    try withWorker { client in
      let parameters = [
        ("REQUEST_METHOD", "POST"), ("REQUEST_URI", "/"), ("REQUEST_ID", "abcdefgh"),
      ]
      let whole = encodedRequest(parameters, body: [UInt8](repeating: 0x20, count: 20_000))
      let connection = try client.begin(Array(whole.prefix(300)))
      var position = 300
      while position < whole.count {
        let part = Array(whole[position..<min(position + 3000, whole.count)])
        #expect(send(connection.raw, part, part.count, Int32(MSG_NOSIGNAL)) == part.count)
        position += part.count
        usleep(5000)
      }
      #expect(client.receive(connection).body == "POST /  20000 false abcdefgh")
    }
  }

  @Test("A large response arrives whole, and a line break in a field does not make a field")
  func responses() throws {
    try withWorker { client in
      #expect(try client.send("GET", "/large").body.utf8.count == 300_000)
      let reply = try client.send("GET", "/injection")
      #expect(reply.output == "Status: 204 No Content\r\nX-Evil: a  Set-Cookie: b\r\n\r\n")
    }
  }

  @Test("What is not a request is refused under an id")
  func refusals() throws {
    try withWorker { client in
      let bad = try client.send(
        "POST", "/", [("CONTENT_LENGTH", "banana"), ("REQUEST_ID", "abcdefgh")])
      #expect(bad.status == 400)
      #expect(bad.body == "malformed abcdefgh")
      let large = try client.send(
        "GET", "/", [("HTTP_X", String(repeating: "a", count: 70_000))])
      #expect(large.status == 431)
    }
  }

  @Test("Clients that break off, at any byte, do not take the worker with them")
  func brokenClients() throws {
    let whole = encodedRequest(
      [("REQUEST_METHOD", "POST"), ("REQUEST_URI", "/large"), ("CONTENT_LENGTH", "2")],
      body: Array("{}".utf8))
    try withWorker { client in
      for count in stride(from: 1, to: whole.count, by: 3) {
        _ = try client.begin(Array(whole[..<count]))
      }
      for _ in 0..<5 { _ = try client.begin(whole) }  // all is sent, nothing is read
      #expect(try client.send("GET", "/").status == 201)
    }
  }

  @Test("Records of random bytes do not take the worker with them")
  func randomRecords() throws {
    try withWorker { client in
      for _ in 0..<200 {
        let content = (0..<Int.random(in: 0...40)).map { _ in UInt8.random(in: 0...63) }
        _ = try client.begin(
          (Bool.random() ? beginRequest : [])
            + (Bool.random() ? record(.parameters, content) : content))
      }
      #expect(try client.send("GET", "/").status == 201)
    }
  }

  @Test("A descriptor that is no listening socket is refused at the start")
  func notListening() throws {
    let event = try EventDescriptor()
    #expect(throws: SystemError.self) { _ = try FastCGIWorker(listening: event.descriptor.raw) }
  }
}
