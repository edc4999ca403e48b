// What happens to a call, as its participants are told over signaling (R11, contract §6.2).

import JSON
import System

package enum CallEvent: Sendable, Equatable {
  case invitation(call: Call, caller: Party)
  case ringing(callId: String)
  case accepted(callId: String, channelId: String, by: String)
  case answeredElsewhere(callId: String, outcome: Outcome)
  case rejected(callId: String, by: String, reason: EndReason)
  /// - Parameter by: nil where Agora reports it.
  case statusUpdated(callId: String, status: CallStatus, by: String?)
  case ended(callId: String, by: String?, reason: EndReason, durationSeconds: Int)
  case timeout(callId: String)
  case qualityWarning(callId: String, participantId: String, quality: NetworkQuality)

  package enum Outcome: String, Sendable { case accepted, rejected }

  package static let invitationType = "call_invitation"

  package var type: String {
    switch self {
    case .invitation: CallEvent.invitationType
    case .ringing: "call_ringing"
    case .accepted: "call_accepted"
    case .answeredElsewhere: "call_answered_elsewhere"
    case .rejected: "call_rejected"
    case .statusUpdated: "call_status_updated"
    case .ended: "call_ended"
    case .timeout: "call_timeout"
    case .qualityWarning: "call_quality_warning"
    }
  }

  package var callId: String {
    switch self {
    case .invitation(let call, _): call.id
    case .ringing(let id), .timeout(let id), .accepted(let id, _, _),
      .answeredElsewhere(let id, _), .rejected(let id, _, _), .statusUpdated(let id, _, _),
      .ended(let id, _, _, _), .qualityWarning(let id, _, _):
      id
    }
  }

  /// The frame's `data`, a JSON object.
  package var data: [UInt8] {
    var json = JSONWriter(reserving: 256)
    json.beginObject()
    json.member("callId", callId)
    writeMembers(to: &json)
    json.endObject()
    return json.bytes
  }

  /// The data of an invitation that is being made: without the value of the last member, `expiresAt`, which the
  /// transaction that takes both lines puts in.
  package static func invitationUpToExpiry(_ call: Call, from caller: Party) -> String {
    let whole = CallEvent.invitation(call: call, caller: caller).data
    let left = call.expiresAt.iso8601.utf8.count + 3  // with its quotes, and the object's end
    return String(decoding: whole.dropLast(left), as: UTF8.self)
  }

  private func writeMembers(to json: inout JSONWriter) {
    switch self {
    case .ringing, .timeout: break
    case .invitation(let call, let caller):
      json.member("channelId", call.channelId)
      json.member("callerId", call.callerId)
      json.member("callerName", caller.name)
      json.member("callerAvatar", caller.avatar)
      json.member("callType", call.type.rawValue)
      json.member("expiresAt", call.expiresAt.iso8601)
    case .accepted(_, let channelId, let by):
      json.member("channelId", channelId)
      json.member("acceptedBy", by)
    case .answeredElsewhere(_, let outcome): json.member("outcome", outcome.rawValue)
    case .rejected(_, let by, let reason):
      json.member("rejectedBy", by)
      json.member("reason", reason.rawValue)
    case .statusUpdated(_, let status, let by):
      json.member("status", status.rawValue)
      json.member("updatedBy", by)
    case .ended(_, let by, let reason, let seconds):
      json.member("endedBy", by)
      json.member("endReason", reason.rawValue)
      json.member("durationSeconds", seconds)
    case .qualityWarning(_, let participantId, let quality):
      json.member("participantId", participantId)
      json.member("networkQuality", quality.rawValue)
    }
  }
}

/// Where a command came from: `call_answered_elsewhere` spares these sockets (contract §7.6).
package struct Origin: Sendable, Equatable {
  /// As the client named it, 1–128 characters.
  package var device: String?
  /// The signaling connection that carried the command.
  package var connection: String?

  package init(device: String? = nil, connection: String? = nil) {
    (self.device, self.connection) = (device, connection)
  }
}

/// An event on its way to one user's outbox.
package struct OutgoingEvent: Sendable, Equatable {
  package let recipient: String
  package let event: CallEvent
  package let origin: Origin

  package init(to recipient: String, _ event: CallEvent, sparing origin: Origin = Origin()) {
    (self.recipient, self.event, self.origin) = (recipient, event, origin)
  }
}
