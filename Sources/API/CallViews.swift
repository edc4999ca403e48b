// A call as JSON (contract §4).

import Calls
import JSON
import Storage

extension Initiation {
  /// The members of what initiate answers. A repetition tells the same as the first answer did.
  func write(to json: inout JSONWriter) {
    details.writeInitiated(to: &json, isJoined ? .connecting : .initiating)
    if isJoined { json.member("joined", true) }
  }
}

extension CallDetails {
  /// Who calls whom, how: the members that every form of a call begins with.
  private func writeParties(to json: inout JSONWriter) {
    json.member("callId", call.id)
    json.member("channelId", call.channelId)
    json.member("callerId", caller.id)
    json.member("callerName", caller.name)
    json.member("callerAvatar", caller.avatar)
    json.member("calleeId", callee.id)
    json.member("calleeName", callee.name)
    json.member("calleeAvatar", callee.avatar)
    json.member("callType", call.type.rawValue)
  }

  fileprivate func writeInitiated(to json: inout JSONWriter, _ status: CallStatus) {
    writeParties(to: &json)
    json.member("status", status.rawValue)
    json.member("createdAt", call.createdAt.iso8601)
    json.member("expiresAt", call.expiresAt.iso8601)
  }

  /// Everything of a call, as an object.
  package func write(to json: inout JSONWriter) {
    json.beginObject()
    writeParties(to: &json)
    json.member("status", call.status.rawValue)
    json.member("endReason", call.endReason?.rawValue)
    json.member("createdAt", call.createdAt.iso8601)
    json.member("expiresAt", call.expiresAt.iso8601)
    json.member("acceptedAt", call.acceptedAt?.iso8601)
    json.member("startTime", call.startTime?.iso8601)
    json.member("endTime", call.endedAt?.iso8601)
    json.member("durationSeconds", call.durationSeconds)
    json.key("quality")
    call.quality.write(to: &json)
    json.key("media")
    json.beginObject()
    json.member("caller", callerMedia?.rawValue)
    json.member("callee", calleeMedia?.rawValue)
    json.endObject()
    json.endObject()
  }
}
