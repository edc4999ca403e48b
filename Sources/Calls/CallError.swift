// The one error type of the product: every way in which a request can be refused. API has the table
// from its cases to HTTP status and code (contract §3).

package enum CallError: Error, Equatable, Sendable {
  case validation([FieldFault])
  case malformedJSON(String)
  case authenticationFailed(String)
  /// A notice of Agora's without a good signature (contract §9.1).
  case badSignature
  case unauthorizedAccess(String)
  case notContacts
  case originNotAllowed
  case notFound(Resource)
  case methodNotAllowed(allowed: [String])
  case payloadTooLarge(limitBytes: Int)
  /// The request did not come within the time that there is for it.
  case requestTimeout
  case unsupportedMediaType
  /// `incomingCallId` names a call from the very callee that still rings for the caller (contract §11.3).
  case userBusy(party: BusyParty, activeCallId: String?, incomingCallId: String? = nil)
  /// The callee is not to be disturbed (contract §11.2).
  case userUnavailable
  case invalidTransition(from: CallStatus, to: CallStatus)
  case noActiveCall
  case alreadyAccepted
  case alreadyEnded
  case idempotencyKeyReused
  case callTimeout
  /// - Parameter retryAfterSeconds: When the next request will be let through; at least 1.
  case rateLimited(retryAfterSeconds: Int)
  case tokenGenerationFailed
  case tokenRefreshFailed
  case serviceUnavailable
  case internalError

  package enum Resource: String, Sendable { case user, call, route }

  package enum BusyParty: String, Sendable { case caller, callee }

  package static func validation(_ field: String, _ code: FieldFault.Code, _ message: String)
    -> CallError
  {
    .validation([FieldFault(field, code, message)])
  }
}

/// One member of a request that cannot be used, and why (R12.3).
package struct FieldFault: Equatable, Sendable {
  package enum Code: String, Sendable {
    case required = "REQUIRED"
    case invalidType = "INVALID_TYPE"
    case invalidUserId = "INVALID_USER_ID"
    case invalidCallType = "INVALID_CALL_TYPE"
    case invalidChannelId = "INVALID_CHANNEL_ID"
    case invalidRole = "INVALID_ROLE"
    case invalidExpiration = "INVALID_EXPIRATION"
    case invalidToken = "INVALID_TOKEN"
    case invalidQuality = "INVALID_QUALITY"
    case invalidPacketLoss = "INVALID_PACKET_LOSS"
    case invalidRoundTripTime = "INVALID_RTT"
    case invalidTimestamp = "INVALID_TIMESTAMP"
    case invalidReason = "INVALID_REASON"
    case invalidStatus = "INVALID_STATUS"
    case invalidPeriod = "INVALID_PERIOD"
    case invalidPage = "INVALID_PAGE"
    case invalidLimit = "INVALID_LIMIT"
    case invalidCursor = "INVALID_CURSOR"
    case invalidDeviceId = "INVALID_DEVICE_ID"
    case invalidIdempotencyKey = "INVALID_IDEMPOTENCY_KEY"
    case invalidEventId = "INVALID_EVENT_ID"
    case invalidBody = "INVALID_BODY"
    case selfCall = "SELF_CALL"
  }

  package let field: String
  package let code: Code
  package let message: String

  package init(_ field: String, _ code: Code, _ message: String) {
    (self.field, self.code, self.message) = (field, code, message)
  }
}
