// The body of a webhook (contract §8.1): {"type", "timestamp", "data"}.

import Calls
import JSON
import Storage
import System

/// What a webhook tells besides its call, as it is at the moment of sending.
package struct WebhookContext: Sendable, Equatable {
  /// Open sockets of the callee.
  package var calleeConnections = 0
  /// Missed calls that the callee has not seen.
  package var unseenMissed = 0

  package init() {}
}

extension Delivery {
  /// - Parameter type: The delivery's.
  package func body(of type: WebhookType, _ context: WebhookContext) -> [UInt8] {
    var json = JSONWriter(reserving: 512)
    json.beginObject()
    json.member("type", type.rawValue)
    json.member("timestamp", createdAt.iso8601)
    json.key("data")
    json.beginObject()
    json.member("callId", call.id)
    switch type {
    case .invitation: writeInvitation(context, to: &json)
    case .stoppedRinging: writeStoppedRinging(to: &json)
    case .missed: writeMissed(context, to: &json)
    case .ended: writeEnded(to: &json)
    }
    json.endObject()
    json.endObject()
    return json.bytes
  }

  private func writeInvitation(_ context: WebhookContext, to json: inout JSONWriter) {
    json.member("channelId", call.channelId)
    json.member("callerId", call.callerId)
    json.member("callerName", caller.name)
    json.member("callerAvatar", caller.avatar)
    json.member("calleeId", call.calleeId)
    json.member("callType", call.type.rawValue)
    json.member("createdAt", call.createdAt.iso8601)
    json.member("expiresAt", call.expiresAt.iso8601)
    json.member("calleeConnections", context.calleeConnections)
  }

  private func writeStoppedRinging(to json: inout JSONWriter) {
    json.member("calleeId", call.calleeId)
    json.member("outcome", call.ringOutcome?.rawValue)
    json.member("deviceId", call.acceptedDevice)
  }

  private func writeMissed(_ context: WebhookContext, to json: inout JSONWriter) {
    json.member("callerId", call.callerId)
    json.member("callerName", caller.name)
    json.member("calleeId", call.calleeId)
    json.member("callType", call.type.rawValue)
    json.member("createdAt", call.createdAt.iso8601)
    json.member("unseenMissed", context.unseenMissed)
  }

  private func writeEnded(to json: inout JSONWriter) {
    json.member("callerId", call.callerId)
    json.member("calleeId", call.calleeId)
    json.member("callType", call.type.rawValue)
    json.member("status", call.status.rawValue)
    json.member("endReason", call.endReason?.rawValue)
    json.member("createdAt", call.createdAt.iso8601)
    json.member("acceptedAt", call.acceptedAt?.iso8601)
    json.member("endedAt", call.endedAt?.iso8601)
    json.member("durationSeconds", call.durationSeconds)
    json.key("quality")
    call.quality.write(to: &json)
  }
}
