// A line of accounting, of every kind of call.

import CSV
import JSON
import System
import Testing

@testable import Calls

@Suite struct CallRecordTests {
  private static let start = Timestamp(iso8601: "2026-05-04T03:02:01.250Z")!

  private func call(_ status: CallStatus, _ reason: EndReason, endedAfter milliseconds: Int64)
    -> Call
  {
    var call = Call(
      id: "c", channelId: "ch", callerId: "alice", calleeId: "bob", type: .video, status: status,
      createdAt: Self.start, ringSeconds: 60)
    call.endReason = reason
    call.endedAt = Timestamp(milliseconds: Self.start.milliseconds + milliseconds)
    return call
  }

  private func answered() -> Call {
    var call = call(.ended, .hangup, endedAfter: 100_000)
    call.acceptedAt = Timestamp(milliseconds: Self.start.milliseconds + 7999)
    call.connectedAt = Timestamp(milliseconds: Self.start.milliseconds + 9000)
    call.acceptedDevice = "Bob's \"phone\", old"
    call.durationSeconds = 91
    call.quality.averageScore = 4.5
    call.quality.averagePacketLossRate = 0.01
    call.quality.averageRoundTripTime = 100
    call.quality.samples = 3
    return call
  }

  private func csv(_ call: Call) -> String {
    var csv = CSVWriter()
    CallRecord(call).write(to: &csv)
    return String(decoding: csv.bytes, as: UTF8.self)
  }

  private func json(_ call: Call) throws -> JSONValue {
    var json = JSONWriter()
    CallRecord(call).write(to: &json)
    return try JSONParser.parse(json.bytes)
  }

  @Test("an answered call with its quality")
  func complete() throws {
    #expect(
      csv(answered()) == "c,ch,alice,bob,video,ended,hangup,2026-05-04T03:02:01.250Z,"
        + "2026-05-04T03:02:09.249Z,2026-05-04T03:02:10.250Z,2026-05-04T03:03:41.250Z,7,91,"
        + "\"Bob's \"\"phone\"\", old\",4.5,0.01,100.0,3,4.25\r\n")
    let line = try json(answered())
    #expect(line["acceptedDevice"] == "Bob's \"phone\", old")
    #expect(line["ringSeconds"] == 7)
    #expect(line["meanOpinionScore"] == 4.25)
    #expect(line["connectedAt"] == "2026-05-04T03:02:10.250Z")
  }

  @Test("a call that nobody answered rang until its end; what it does not have is empty, or null")
  func unanswered() throws {
    let call = call(.missed, .timeout, endedAfter: 60_000)
    #expect(
      csv(call) == "c,ch,alice,bob,video,missed,timeout,2026-05-04T03:02:01.250Z,,,"
        + "2026-05-04T03:03:01.250Z,60,0,,,,,0,\r\n")
    let line = try json(call)
    for name in ["acceptedAt", "connectedAt", "acceptedDevice", "averageScore", "meanOpinionScore"]
    {
      #expect(line[name]?.isNull == true)
    }
    #expect(CallRecord(self.call(.rejected, .busy, endedAfter: 0)).ringSeconds == 0)
  }

  @Test("both formats have the same names, in the same order")
  func columns() throws {
    var header = CSVWriter()
    CallRecord.writeHeader(to: &header)
    #expect(
      String(decoding: header.bytes, as: UTF8.self)
        == CallRecord.columns.joined(separator: ",") + "\r\n")
    let fields = csv(call(.missed, .timeout, endedAfter: 1))
      .split(separator: ",", omittingEmptySubsequences: false)
    #expect(fields.count == CallRecord.columns.count)
    let members = try json(answered()).objectValue?.keys
    #expect(Set(members ?? [:].keys) == Set(CallRecord.columns))
    var json = JSONWriter()
    CallRecord(answered()).write(to: &json)
    let text = String(decoding: json.bytes, as: UTF8.self)
    let places = CallRecord.columns.compactMap { text.firstRange(of: "\"\($0)\":")?.lowerBound }
    #expect(places == places.sorted())
    #expect(places.count == CallRecord.columns.count)
  }
}
