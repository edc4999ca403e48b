// A client's times (contract §4, the quality report): what DATETIME holds, and nothing else.

import HTTP
import JSON
import Testing

@testable import API

@Suite struct TimestampFieldTests {
  /// Milliseconds since 1970; nil for a fault.
  private func read(_ value: JSONValue) throws -> Int64? {
    let context = Context(
      request: HTTPRequest(method: .post, path: "/"), userId: "1", callId: "",
      query: try QueryParameters(""), body: ["timestamp": value], connectionId: nil,
      connectionDevice: nil)
    var fields = context.fields()
    let time = fields.timestamp("timestamp")
    #expect((try? fields.check()) == nil || time != nil)
    return time?.milliseconds
  }

  @Test func timesAreTaken() throws {
    #expect(try read("1970-01-01T00:00:00Z") == 0)
    #expect(try read("2026-01-02T03:04:05.678Z") == 1_767_323_045_678)
    #expect(try read("9999-12-31T23:59:59.999Z") == 253_402_300_799_999)
    #expect(try read(1_767_323_045_678) == 1_767_323_045_678)
    #expect(try read(0.5) == 0)
  }

  /// One of them brought a worker down: its year in UTC is −1.
  @Test(
    arguments: [
      "0000-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "0000-01-01T00:00:00Z",
      "1969-12-31T23:59:59Z", "now", -1, 253_402_300_800_000, 1e300, true, [],
    ] as [JSONValue])
  func othersAreFaults(value: JSONValue) throws {
    #expect(try read(value) == nil)
  }
}
