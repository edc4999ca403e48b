// The table from what can go wrong to what a client sees (R12, contract §3): status, code, message,
// details, fields.

import AgoraNotice
import Calls
import HTTP
import JSON

struct ErrorResponse {
  let status: Int
  let code: String
  let message: String
  var details: JSONValue?
  var headers: HTTPHeaders = [:]

  private init(
    _ status: Int, _ code: String, _ message: String, details: JSONValue? = nil,
    headers: HTTPHeaders = [:]
  ) {
    (self.status, self.code, self.message) = (status, code, message)
    (self.details, self.headers) = (details, headers)
  }

  init(_ error: CallError) {
    self =
      switch error {
      case .validation, .malformedJSON, .payloadTooLarge, .requestTimeout, .unsupportedMediaType,
        .methodNotAllowed, .notFound:
        ErrorResponse(ofRequest: error)
      case .authenticationFailed, .badSignature, .unauthorizedAccess, .notContacts,
        .originNotAllowed,
        .rateLimited:
        ErrorResponse(ofPermission: error)
      case .tokenGenerationFailed, .tokenRefreshFailed, .serviceUnavailable, .internalError:
        ErrorResponse(ofServer: error)
      default: ErrorResponse(ofState: error)
      }
  }

  /// What is wrong with the request itself.
  private init(ofRequest error: CallError) {
    switch error {
    case .validation(let faults):
      self.init(
        400, "VALIDATION_ERROR", "The request is not valid.",
        details: .array(
          faults.map {
            .object([
              "field": .string($0.field), "code": .string($0.code.rawValue),
              "message": .string($0.message),
            ])
          }))
    case .malformedJSON(let reason):
      self.init(400, "MALFORMED_JSON", "The body is not JSON: \(reason)")
    case .payloadTooLarge(let limit):
      self.init(
        413, "PAYLOAD_TOO_LARGE", "The body is larger than \(limit) bytes.",
        details: ["limitBytes": .int(Int64(limit))])
    case .requestTimeout:
      self.init(408, "REQUEST_TIMEOUT", "The request took too long to arrive.")
    case .unsupportedMediaType:
      self.init(415, "UNSUPPORTED_MEDIA_TYPE", "The body must be application/json.")
    case .methodNotAllowed(let allowed):
      self.init(
        405, "METHOD_NOT_ALLOWED", "This resource does not know the method.",
        headers: ["Allow": allowed.joined(separator: ", ")])
    case .notFound(let resource):
      self.init(
        404, "RESOURCE_NOT_FOUND", "There is no such \(resource.rawValue).",
        details: ["resource": .string(resource.rawValue)])
    default: self.init(ofServer: .internalError)
    }
  }

  private init(ofPermission error: CallError) {
    switch error {
    case .authenticationFailed(let reason):
      self.init(
        401, "AUTHENTICATION_FAILED", reason,
        headers: ["WWW-Authenticate": Self.challenge(reason)])
    case .badSignature:
      self.init(
        401, "AUTHENTICATION_FAILED", "The body is not signed by Agora.",
        headers: ["WWW-Authenticate": AgoraNoticeSignature.field])
    case .unauthorizedAccess(let reason): self.init(403, "UNAUTHORIZED_ACCESS", reason)
    case .notContacts:
      self.init(403, "NOT_CONTACTS", "You can only call people who are your contacts.")
    case .originNotAllowed:
      self.init(403, "ORIGIN_NOT_ALLOWED", "This origin may not connect.")
    case .rateLimited(let seconds):
      // The details repeat the field, because a command's result has none (contract §6.2).
      self.init(
        429, "RATE_LIMIT_EXCEEDED", "Too many requests. Try again later.",
        details: ["retryAfterSeconds": .int(Int64(seconds))],
        headers: ["Retry-After": String(seconds)])
    default: self.init(ofServer: .internalError)
    }
  }

  /// What the state of a call or of a user forbids.
  private init(ofState error: CallError) {
    switch error {
    case .userBusy(let party, let activeCallId, let incomingCallId):
      var details: [String: JSONValue] = ["party": .string(party.rawValue), "status": "busy"]
      if let activeCallId { details["activeCallId"] = .string(activeCallId) }
      if let incomingCallId { details["incomingCallId"] = .string(incomingCallId) }
      self.init(
        409, "USER_BUSY",
        party == .caller ? "You are in another call." : "The other person is in another call.",
        details: .object(details))
    case .userUnavailable:
      self.init(
        409, "USER_UNAVAILABLE", "The other person does not want to be disturbed.",
        details: ["party": .string(CallError.BusyParty.callee.rawValue)])
    case .invalidTransition(let from, let to):
      self.init(
        409, "INVALID_STATUS_TRANSITION",
        "A call cannot go from \(from.rawValue) to \(to.rawValue).",
        details: [
          "from": .string(from.rawValue), "to": .string(to.rawValue),
          "allowed": .array(from.allowedNext.map { .string($0.rawValue) }),
        ])
    case .noActiveCall:
      self.init(409, "NO_ACTIVE_CALL", "You have no active call here.")
    case .alreadyAccepted:
      self.init(409, "CALL_ALREADY_ACCEPTED", "The call has been accepted already.")
    case .alreadyEnded: self.init(409, "CALL_ALREADY_ENDED", "The call is over.")
    case .idempotencyKeyReused:
      self.init(
        409, "IDEMPOTENCY_KEY_REUSED", "This Idempotency-Key was used for another request.")
    case .callTimeout:
      self.init(410, "CALL_TIMEOUT", "The call was not answered in time.")
    default: self.init(ofServer: .internalError)
    }
  }

  private init(ofServer error: CallError) {
    switch error {
    case .tokenGenerationFailed:
      self.init(500, "TOKEN_GENERATION_FAILED", "The token could not be generated.")
    case .tokenRefreshFailed:
      self.init(500, "TOKEN_REFRESH_FAILED", "The token could not be refreshed.")
    case .serviceUnavailable:
      self.init(
        503, "SERVICE_UNAVAILABLE", "The service is not available for the moment.",
        headers: ["Retry-After": "1"])
    default: self.init(500, "INTERNAL_SERVER_ERROR", "Something went wrong on the server.")
    }
  }

  /// RFC 6750 section 3; the reason is ours and holds no quote.
  private static func challenge(_ reason: String) -> String {
    reason == Authenticator.missing
      ? "Bearer realm=\"chattrix\""
      : "Bearer realm=\"chattrix\", error=\"invalid_token\", error_description=\"\(reason)\""
  }
}
