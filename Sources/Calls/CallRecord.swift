// A call that is over as accounting reads it (`chattrix-ctl cdr`): one line of CSV or of JSON, with the same
// names in both. Users' names are not in it.

import CSV
import JSON
import System

package struct CallRecord: Sendable {
  private let call: Call

  /// - Parameter call: One that is over.
  package init(_ call: Call) { self.call = call }

  package static let columns = [
    "callId", "channelId", "callerId", "calleeId", "callType", "status", "endReason", "createdAt",
    "acceptedAt", "connectedAt", "endedAt", "ringSeconds", "durationSeconds", "acceptedDevice",
    "averageScore", "averagePacketLossRate", "averageRoundTripTime", "samples", "meanOpinionScore",
  ]

  /// Whole seconds from the invitation to the answer or, where there was none, to the end.
  package var ringSeconds: Int {
    let end = call.acceptedAt ?? call.endedAt ?? call.createdAt
    return Int(max(0, end.milliseconds - call.createdAt.milliseconds) / 1000)
  }

  /// To two decimals.
  package var meanOpinionScore: Double? {
    call.quality.meanOpinionScore.map { ($0 * 100).rounded() / 100 }
  }

  package static func writeHeader(to csv: inout CSVWriter) {
    for column in columns { csv.field(column) }
    csv.endRecord()
  }

  package func write(to csv: inout CSVWriter) {
    csv.field(call.id)
    csv.field(call.channelId)
    csv.field(call.callerId)
    csv.field(call.calleeId)
    csv.field(call.type.rawValue)
    csv.field(call.status.rawValue)
    csv.field(call.endReason?.rawValue)
    for time in [call.createdAt, call.acceptedAt, call.connectedAt, call.endedAt] {
      if let time { csv.field(plain: time.iso8601Bytes.span) } else { csv.field(nil as String?) }
    }
    csv.field(ringSeconds)
    csv.field(call.durationSeconds)
    csv.field(call.acceptedDevice)
    csv.field(call.quality.averageScore)
    csv.field(call.quality.averagePacketLossRate)
    csv.field(call.quality.averageRoundTripTime)
    csv.field(call.quality.samples)
    csv.field(meanOpinionScore)
    csv.endRecord()
  }

  package func write(to json: inout JSONWriter) {
    json.beginObject()
    json.member("callId", call.id)
    json.member("channelId", call.channelId)
    json.member("callerId", call.callerId)
    json.member("calleeId", call.calleeId)
    json.member("callType", call.type.rawValue)
    json.member("status", call.status.rawValue)
    json.member("endReason", call.endReason?.rawValue)
    json.member("createdAt", call.createdAt.iso8601)
    json.member("acceptedAt", call.acceptedAt?.iso8601)
    json.member("connectedAt", call.connectedAt?.iso8601)
    json.member("endedAt", call.endedAt?.iso8601)
    json.member("ringSeconds", ringSeconds)
    json.member("durationSeconds", call.durationSeconds)
    json.member("acceptedDevice", call.acceptedDevice)
    json.member("averageScore", call.quality.averageScore)
    json.member("averagePacketLossRate", call.quality.averagePacketLossRate)
    json.member("averageRoundTripTime", call.quality.averageRoundTripTime)
    json.member("samples", call.quality.samples)
    json.member("meanOpinionScore", meanOpinionScore)
    json.endObject()
  }
}
