// Members of a body and parameters of a query: all that is wrong with them, at once (R12.3).

import Calls
import HTTP
import JSON
import Testing

@testable import API

@Suite struct FieldsTests {
  private func parse(_ body: String = "{}", query: String = "", user: String = "alice") throws
    -> Fields
  {
    let value = try JSONParser.parse(Array(body.utf8))
    return Fields(
      context: Context(
        request: HTTPRequest(method: .post, path: "/"), userId: user, callId: "",
        query: try QueryParameters(query), body: value.objectValue ?? [:], connectionId: nil,
        connectionDevice: nil))
  }

  private func refusal(_ fields: Fields) -> CallError? {
    do throws(CallError) {
      try fields.check()
      return nil
    } catch { return error }
  }

  private func codes(_ fields: Fields) -> [String] {
    guard case .validation(let faults)? = refusal(fields) else { return [] }
    return faults.map { "\($0.field) \($0.code.rawValue)" }
  }

  @Test("R12.3 every fault is told, in one answer")
  func allAtOnce() throws {
    var fields = try parse(
      #"{"calleeId": true, "callType": "fax", "n": 1.5, "d": "x", "t": "yesterday"}"#,
      query: "page=0&limit=x&status=gone")
    _ = fields.requiredUserId("calleeId")
    _ = fields.word("callType", .invalidCallType, required: true, among: CallType.self)
    _ = fields.wholeNumber("n", .invalidExpiration, in: 60...100)
    _ = fields.number("d", .invalidPacketLoss, "a number") { _ in true }
    _ = fields.timestamp("t")
    _ = fields.requiredText("missing", .invalidChannelId, "something") { _ in true }
    _ = fields.queryNumber("page", .invalidPage, in: 1...10, standard: 1)
    _ = fields.queryNumber("limit", .invalidLimit, in: 1...100, standard: 20, clampingAbove: 100)
    _ = fields.queryWord("status", .invalidStatus, among: HistoryStatus.self, allowsAll: true)
    #expect(
      codes(fields) == [
        "calleeId INVALID_USER_ID", "callType INVALID_CALL_TYPE", "n INVALID_EXPIRATION",
        "d INVALID_PACKET_LOSS", "t INVALID_TIMESTAMP", "missing REQUIRED", "page INVALID_PAGE",
        "limit INVALID_LIMIT", "status INVALID_STATUS",
      ])
  }

  @Test(
    "§1 a user id is text or a number, read as its decimal digits",
    arguments: [
      (#""bob""#, "bob"), ("12", "12"), ("12.0", "12"), ("1e3", "1000"), (#""012""#, "012"),
      ("-4", "-4"), ("9223372036854775807", "9223372036854775807"),
    ])
  func userIds(written: String, read: String) throws {
    var fields = try parse(#"{"calleeId": \#(written)}"#)
    #expect(fields.requiredUserId("calleeId") == read)
    #expect(refusal(fields) == nil)
  }

  @Test(
    "§1 and nothing else",
    arguments: ["1.5", "true", "[]", "{}", #""""#, #""a\n""#, "92233720368547758080000"])
  func noUserIds(written: String) throws {
    var fields = try parse(#"{"calleeId": \#(written)}"#)
    _ = fields.requiredUserId("calleeId")
    #expect(codes(fields) == ["calleeId INVALID_USER_ID"])
  }

  @Test("R9.2 R9.3 a userId that is not one's own is 403, whatever else is wrong")
  func otherUser() throws {
    for (body, query) in [
      (#"{"userId": "bob"}"#, ""), ("{}", "userId=bob"), (#"{"userId": "alice"}"#, "userId=bob"),
      (#"{"userId": 12}"#, ""), (#"{"userId": "Alice"}"#, ""),
    ] {
      var fields = try parse(body, query: query)
      fields.fault("x", .required, "x is required.")
      guard case .unauthorizedAccess? = refusal(fields) else {
        Issue.record("\(body) \(query)")
        continue
      }
    }
    for (body, query, user) in [
      (#"{"userId": "alice"}"#, "userId=alice", "alice"), (#"{"userId": 12}"#, "", "12"),
      (#"{"userId": null}"#, "", "alice"), ("{}", "userId=12", "12"),
    ] {
      #expect(refusal(try parse(body, query: query, user: user)) == nil)
    }
    #expect(codes(try parse(#"{"userId": true}"#)) == ["userId INVALID_USER_ID"])
    #expect(codes(try parse("{}", query: "userId=")) == ["userId INVALID_USER_ID"])
  }

  @Test("§1 null counts as absent; words are read in any case")
  func words() throws {
    var fields = try parse(#"{"a": null, "b": "VERY_BAD", "c": "verybad", "d": "veryBad"}"#)
    #expect(fields.word("a", .invalidQuality, among: NetworkQuality.self) == nil)
    for name in ["b", "c", "d"] {
      #expect(fields.word(name, .invalidQuality, among: NetworkQuality.self) == .veryBad)
    }
    #expect(refusal(fields) == nil)
    _ = fields.word("a", .invalidQuality, required: true, among: NetworkQuality.self)
    #expect(codes(fields) == ["a REQUIRED"])
  }

  @Test("R7.2 R7.3 numbers within their rules, integers among them")
  func numbers() throws {
    var fields = try parse(#"{"zero": 0, "one": 1, "half": 0.5, "text": "0.5", "big": 1.01}"#)
    func loss(_ name: String) -> Double? {
      fields.number(name, .invalidPacketLoss, "0 to 1") { (0...1).contains($0) }
    }
    #expect(loss("zero") == 0)
    #expect(loss("one") == 1)
    #expect(loss("half") == 0.5)
    #expect(loss("absent") == nil)
    #expect(refusal(fields) == nil)
    #expect(loss("text") == nil)
    #expect(loss("big") == nil)
    #expect(codes(fields) == ["text INVALID_PACKET_LOSS", "big INVALID_PACKET_LOSS"])
  }

  @Test("R3.3 whole numbers at the edges of their range")
  func wholeNumbers() throws {
    var fields = try parse(#"{"a": 60, "b": 86400, "c": 59, "d": 86401, "e": 100.0, "f": "60"}"#)
    func seconds(_ name: String) -> Int? {
      fields.wholeNumber(name, .invalidExpiration, in: 60...86_400)
    }
    #expect(seconds("a") == 60)
    #expect(seconds("b") == 86_400)
    #expect(seconds("e") == 100)
    for name in ["c", "d", "f"] { #expect(seconds(name) == nil) }
    #expect(codes(fields).count == 3)
  }

  @Test("R6.2 a limit over 100 is served as 100; a page is 1 or more")
  func queryNumbers() throws {
    func limit(_ text: String) throws -> (Int, [String]) {
      var fields = try parse(query: "limit=\(text)")
      let number = fields.queryNumber(
        "limit", .invalidLimit, in: 1...100, standard: 20, clampingAbove: 100)
      return (number, codes(fields))
    }
    for (text, number) in [
      ("1", 1), ("100", 100), ("101", 100), ("99999999999999999999999", 100), ("007", 7),
    ] {
      #expect(try limit(text) == (number, []))
    }
    for text in ["0", "-1", "", "ten", "1.5", "%31x", "1%20", "٣"] {
      #expect(try limit(text).1 == ["limit INVALID_LIMIT"], "\(text)")
    }
    var fields = try parse()
    #expect(fields.queryNumber("page", .invalidPage, in: 1...10, standard: 1) == 1)
    #expect(refusal(fields) == nil)
  }

  @Test("R6.3 R6.4 all is no filter, where it may be said")
  func queryWords() throws {
    var fields = try parse(query: "a=ALL&b=Missed&c=all")
    #expect(
      fields.queryWord("a", .invalidStatus, among: HistoryStatus.self, allowsAll: true) == nil)
    #expect(
      fields.queryWord("b", .invalidStatus, among: HistoryStatus.self, allowsAll: true) == .missed
    )
    #expect(refusal(fields) == nil)
    _ = fields.queryWord("c", .invalidPeriod, among: HistoryStatus.self, allowsAll: false)
    #expect(codes(fields) == ["c INVALID_PERIOD"])
  }

  @Test("§7.6 a device is 1 to 128 characters, the connection's where none is named")
  func devices() throws {
    var named = try parse(#"{"deviceId": "phone"}"#)
    #expect(named.origin() == Origin(device: "phone"))
    for device in ["", "a\\u0000", String(repeating: "x", count: 129)] {
      var fields = try parse("{\"deviceId\": \"\(device)\"}")
      _ = fields.origin()
      #expect(codes(fields) == ["deviceId INVALID_DEVICE_ID"])
    }
    var fields = Fields(
      context: Context(
        request: HTTPRequest(method: .post, path: "/"), userId: "alice", callId: "",
        query: try QueryParameters(""), body: [:], connectionId: "c-1", connectionDevice: "tv"))
    #expect(fields.origin() == Origin(device: "tv", connection: "c-1"))
  }
}
