import FastCGI
import HTTP
import Testing

private func parameters(_ entries: [String]) -> RequestParameters {
  var parameters = RequestParameters()
  for entry in entries { parameters.take(Array(entry.utf8).span) }
  return parameters
}

private func request(
  _ entries: [String], body: [UInt8] = [], isWhole: Bool = true
) throws(RequestFault) -> HTTPRequest {
  try parameters(entries).request(id: "made-up-id", body: body, isWhole: isWhole)
}

private let minimal = ["REQUEST_METHOD=POST", "REQUEST_URI=/api/v1/calls"]

@Suite struct RequestParametersTests {
  @Test("What nginx sends becomes a request")
  func wholeRequest() throws {
    let entries = [
      "FCGI_ROLE=RESPONDER", "QUERY_STRING=page=1", "REQUEST_METHOD=POST",
      "REQUEST_URI=/api/v1/calls%2Fx?page=1&a=b?c", "CONTENT_TYPE=application/json",
      "CONTENT_LENGTH=2", "REMOTE_ADDR=192.0.2.1",
      "REQUEST_ID=0123456789abcdef0123456789abcdef", "HTTP_AUTHORIZATION=Bearer a=b",
      "HTTP_X_FORWARDED_FOR=192.0.2.7", "HTTP_CONTENT_LENGTH=9", "HTTP_CONTENT_TYPE=text/plain",
      "HTTP_COOKIE=",
    ]
    let parameters = parameters(entries)
    #expect(parameters.requestId == "0123456789abcdef0123456789abcdef")
    #expect(parameters.contentLength == 2)
    let request = try parameters.request(id: "id", body: Array("{}".utf8), isWhole: true)
    #expect(request.method == .post)
    #expect(request.path == "/api/v1/calls%2Fx")
    #expect(request.query == "page=1&a=b?c")
    #expect(request.headers["Content-Type"] == "application/json")
    #expect(request.headers["Authorization"] == "Bearer a=b")
    #expect(request.headers["X-Forwarded-For"] == "192.0.2.7")
    #expect(request.headers["Content-Length"] == nil)
    #expect(request.headers["Cookie"] == "")
    #expect(request.remoteAddress == "192.0.2.1")
    #expect(request.requestId == "id")
    #expect(request.body == Array("{}".utf8))
    #expect(!request.bodyExceedsLimit)
  }

  @Test("Content that is too long is said to be so, and its length is not held against it")
  func bodyTooLong() throws {
    let request = try request(minimal + ["CONTENT_LENGTH=99999"], isWhole: false)
    #expect(request.bodyExceedsLimit)
    #expect(request.body.isEmpty)
  }

  @Test(
    "A request without method or target, or with bytes that have no place in it, is refused",
    arguments: [
      ["REQUEST_METHOD=GET"], ["REQUEST_URI=/"], ["REQUEST_METHOD=", "REQUEST_URI=/"],
      ["REQUEST_METHOD=G T", "REQUEST_URI=/"], ["REQUEST_METHOD=GET", "REQUEST_URI=*"],
      ["REQUEST_METHOD=GET", "REQUEST_URI="], ["REQUEST_METHOD=GET", "REQUEST_URI=/a\u{1}"],
      minimal + ["NOEQUALS"], minimal + ["HTTP_X=a\r\nb"], minimal + ["HTTP_X Y=a"],
      ["REQUEST_METHOD=\(String(repeating: "G", count: 33))", "REQUEST_URI=/"],
    ])
  func malformed(entries: [String]) {
    #expect(throws: RequestFault.malformed) { try request(entries) }
  }

  @Test("Bytes of a field that are not UTF-8 are U+FFFD: they matter to nobody")
  func fieldIsNotUTF8() throws {
    var parameters = parameters(minimal)
    parameters.take((Array("HTTP_X=".utf8) + [0x61, 0xFF]).span)
    let request = try parameters.request(id: "id", body: [], isWhole: true)
    #expect(request.headers["x"] == "a\u{FFFD}")
  }

  @Test("A target that is not UTF-8 is refused")
  func targetIsNotUTF8() {
    var parameters = parameters(minimal)
    parameters.take((Array("REQUEST_URI=/".utf8) + [0xC3, 0x28]).span)
    #expect(throws: RequestFault.malformed) {
      try parameters.request(id: "id", body: [], isWhole: true)
    }
  }

  @Test(
    "A CONTENT_LENGTH that is no number is an error, not a crash",
    arguments: [
      "-1", "+1", "1a", " 1", "0x1", "9999999999999999", "99999999999999999999999999999", "1.0",
    ])
  func badContentLength(value: String) {
    #expect(throws: RequestFault.malformed) {
      try request(minimal + ["CONTENT_LENGTH=\(value)"], body: [1])
    }
  }

  @Test("Content that is shorter or longer than announced is refused")
  func contentLengthDiffers() throws {
    for count in [0, 1, 3] {
      #expect(throws: RequestFault.malformed) {
        try request(
          minimal + ["CONTENT_LENGTH=2"], body: [UInt8](repeating: 0x20, count: count))
      }
    }
    #expect(try request(minimal + ["CONTENT_LENGTH="], body: [1, 2]).body == [1, 2])
  }

  @Test(
    "An id that is not of the form is not taken over",
    arguments: ["", "short", "with space in it", "line\nbreak0", String(repeating: "a", count: 65)]
  )
  func badRequestId(value: String) {
    #expect(parameters(["REQUEST_ID=\(value)"]).requestId == nil)
  }

  @Test("R12.5 A bad request keeps its id, wherever in the list it stands")
  func idOfBadRequest() {
    let parameters = parameters(["NOEQUALS", "REQUEST_ID=abcdefgh"])
    #expect(parameters.fault == .malformed)
    #expect(parameters.requestId == "abcdefgh")
  }

  @Test("The number and the size of the entries are bounded")
  func bounds() throws {
    let small = (0..<RequestParameters.maximumCount - 2).map { "HTTP_X\($0)=a" }
    #expect(try request(minimal + small).headers.count == small.count)
    #expect(throws: RequestFault.headTooLarge) { try request(minimal + small + ["HTTP_Y=a"]) }
    let large = "HTTP_X=" + String(repeating: "a", count: RequestParameters.maximumBytes)
    #expect(throws: RequestFault.headTooLarge) { try request(minimal + [large]) }
  }

  @Test("Random entries never crash and never make a request with control characters")
  func randomEntries() {
    let names = ["REQUEST_METHOD", "REQUEST_URI", "HTTP_", "HTTP_A", "CONTENT_LENGTH", "", "X"]
    for _ in 0..<5000 {
      var parameters = RequestParameters()
      for _ in 0..<Int.random(in: 0...6) {
        var entry = Array(names.randomElement()!.utf8)
        if Bool.random() { entry.append(UInt8(ascii: "=")) }
        if Bool.random() { entry.append(UInt8(ascii: "/")) }
        for _ in 0..<Int.random(in: 0...12) { entry.append(UInt8.random(in: 0...255)) }
        parameters.take(entry.span)
      }
      guard let request = try? parameters.request(id: "id", body: [], isWhole: true) else {
        continue
      }
      #expect(request.path.utf8.first == UInt8(ascii: "/"))
      for field in request.headers.fields {
        #expect(field.value.utf8.allSatisfy { $0 >= 0x20 || $0 == 9 })
      }
    }
  }
}
