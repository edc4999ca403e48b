// Initiate, accept, reject, end, status, get, active (R1, R2, R5, R8).

import Calls
import JSON
import Storage

struct CallHandlers {
  let store: CallStore

  func initiate(_ context: Context) throws -> Reply {
    var fields = context.fields()
    let calleeId = fields.requiredUserId("calleeId")
    let type = fields.word("callType", .invalidCallType, required: true, among: CallType.self)
    if UserID.areSame(calleeId, context.userId) {
      fields.fault("calleeId", .selfCall, "You cannot call yourself.")
    }
    let joins = fields.boolean("joinIncoming") ?? false
    let origin = fields.origin()
    let key = context.request.headers["Idempotency-Key"]
    if let key,
      !(1...64).contains(key.utf8.count) || !key.utf8.allSatisfy({ (32...126).contains($0) })
    {
      fields.fault(
        "Idempotency-Key", .invalidIdempotencyKey,
        "Idempotency-Key must be 1 to 64 printable ASCII characters.")
    }
    try fields.check()
    guard let type else { throw CallError.internalError }
    let initiation = try store.initiate(
      from: context.userId, to: calleeId, type: type, idempotencyKey: key,
      joiningAs: joins ? origin : nil)
    return .object(
      status: initiation.isReplay || initiation.isJoined ? 200 : 201,
      headers: initiation.isReplay ? ["Idempotency-Replayed": "true"] : [:]
    ) { initiation.write(to: &$0) }
  }

  func accept(_ context: Context) throws -> Reply {
    var fields = context.fields()
    let origin = fields.origin()
    try fields.check()
    let call = try store.accept(context.callId, by: context.userId, from: origin)
    return .object { json in
      json.member("callId", call.id)
      json.member("channelId", call.channelId)
      json.member("status", CallStatus.connecting.rawValue)
      json.member("acceptedAt", call.acceptedAt?.iso8601)
    }
  }

  func reject(_ context: Context) throws -> Reply {
    var fields = context.fields()
    let origin = fields.origin()
    let reason = fields.word("reason", .invalidReason, among: RejectReason.self)
    try fields.check()
    let call = try store.reject(
      context.callId, by: context.userId, reason: reason ?? .declined, from: origin)
    return .object { json in
      json.member("callId", call.id)
      json.member("status", call.status.rawValue)
      json.member("reason", call.endReason?.rawValue)
      json.member("rejectedAt", call.endedAt?.iso8601)
    }
  }

  func end(_ context: Context) throws -> Reply {
    var fields = context.fields()
    let origin = fields.origin()
    let reason = fields.optionalText(
      "reason", .invalidReason, "a text of 1 to 64 characters"
    ) { (1...64).contains($0.unicodeScalars.count) }
    try fields.check()
    let call = try store.end(
      context.callId, by: context.userId, reason: Self.endReason(reason), from: origin)
    return .object { json in
      json.member("callId", call.id)
      json.member("status", call.status.rawValue)
      json.member("endReason", call.endReason?.rawValue)
      json.member("durationSeconds", call.durationSeconds)
      json.member("endedAt", call.endedAt?.iso8601)
    }
  }

  /// A client may say that the call failed or that the connection was lost; whatever else it calls
  /// its reason is a hang-up. Nobody stays busy for a word that we do not know.
  private static func endReason(_ text: String?) -> EndReason {
    switch text.flatMap(EndReason.init(wire:)) {
    case .failed: .failed
    case .connectionLost: .connectionLost
    default: .hangup
    }
  }

  func updateStatus(_ context: Context) throws -> Reply {
    var fields = context.fields()
    let origin = fields.origin()
    let status = fields.word("status", .invalidStatus, required: true, among: CallStatus.self)
    try fields.check()
    guard let status else { throw CallError.internalError }
    let (call, now) = try store.update(
      context.callId, to: status, by: context.userId, from: origin)
    return .object { json in
      json.member("callId", call.id)
      json.member("status", call.status.rawValue)
      json.member("updatedAt", now.iso8601)
    }
  }

  func get(_ context: Context) throws -> Reply {
    try context.fields().check()
    let details = try store.details(context.callId, for: context.userId)
    return Reply { details.write(to: &$0) }
  }

  func active(_ context: Context) throws -> Reply {
    try context.fields().check()
    let details = try store.active(of: context.userId)
    return Reply { json in
      if let details { details.write(to: &json) } else { json.null() }
    }
  }
}
