// The table of contract §3: which error is which status and code (R12).

import Calls
import HTTP
import JSON
import Testing

@testable import API

@Suite struct ErrorTableTests {
  private static let table: [(CallError, Int, String)] = [
    (.validation("a", .required, "a is required."), 400, "VALIDATION_ERROR"),
    (.malformedJSON("at byte 3"), 400, "MALFORMED_JSON"),
    (.authenticationFailed("The token has expired"), 401, "AUTHENTICATION_FAILED"),
    (.badSignature, 401, "AUTHENTICATION_FAILED"),
    (.unauthorizedAccess("No."), 403, "UNAUTHORIZED_ACCESS"),
    (.notContacts, 403, "NOT_CONTACTS"),
    (.originNotAllowed, 403, "ORIGIN_NOT_ALLOWED"),
    (.notFound(.user), 404, "RESOURCE_NOT_FOUND"),
    (.notFound(.call), 404, "RESOURCE_NOT_FOUND"),
    (.notFound(.route), 404, "RESOURCE_NOT_FOUND"),
    (.methodNotAllowed(allowed: ["GET", "HEAD"]), 405, "METHOD_NOT_ALLOWED"),
    (.payloadTooLarge(limitBytes: 16_384), 413, "PAYLOAD_TOO_LARGE"),
    (.requestTimeout, 408, "REQUEST_TIMEOUT"),
    (.unsupportedMediaType, 415, "UNSUPPORTED_MEDIA_TYPE"),
    (.userBusy(party: .caller, activeCallId: "c"), 409, "USER_BUSY"),
    (.userBusy(party: .callee, activeCallId: nil), 409, "USER_BUSY"),
    (.userUnavailable, 409, "USER_UNAVAILABLE"),
    (.invalidTransition(from: .ringing, to: .ended), 409, "INVALID_STATUS_TRANSITION"),
    (.noActiveCall, 409, "NO_ACTIVE_CALL"),
    (.alreadyAccepted, 409, "CALL_ALREADY_ACCEPTED"),
    (.alreadyEnded, 409, "CALL_ALREADY_ENDED"),
    (.idempotencyKeyReused, 409, "IDEMPOTENCY_KEY_REUSED"),
    (.callTimeout, 410, "CALL_TIMEOUT"),
    (.rateLimited(retryAfterSeconds: 7), 429, "RATE_LIMIT_EXCEEDED"),
    (.tokenGenerationFailed, 500, "TOKEN_GENERATION_FAILED"),
    (.tokenRefreshFailed, 500, "TOKEN_REFRESH_FAILED"),
    (.internalError, 500, "INTERNAL_SERVER_ERROR"),
    (.serviceUnavailable, 503, "SERVICE_UNAVAILABLE"),
  ]

  @Test("R12.1 R12.5 every error has its status and code, a message, and the request's id")
  func table() {
    for (error, status, code) in Self.table {
      let answer = Answer(Envelope.failure(error, requestId: "r-1"))
      #expect(answer.status == status, "\(error)")
      #expect(answer.code == code)
      #expect(answer.body["success"] == false)
      #expect(answer.body["error"]?["message"]?.stringValue?.isEmpty == false)
      #expect(answer.body["requestId"] == "r-1")
      #expect(answer["X-Request-Id"] == "r-1")
      #expect(answer["Content-Type"] == "application/json")
      #expect(Set(answer.body.objectValue?.keys ?? [:].keys) == ["success", "error", "requestId"])
    }
  }

  private func answer(_ error: CallError) -> Answer {
    Answer(Envelope.failure(error, requestId: "r"))
  }

  @Test("§3 details where there is something to say")
  func details() {
    #expect(
      answer(
        .validation([
          FieldFault("calleeId", .required, "r."), FieldFault("callType", .invalidCallType, "t."),
        ])
      ).details == [
        ["field": "calleeId", "code": "REQUIRED", "message": "r."],
        ["field": "callType", "code": "INVALID_CALL_TYPE", "message": "t."],
      ])
    #expect(answer(.notFound(.user)).details == ["resource": "user"])
    #expect(answer(.notFound(.call)).details == ["resource": "call"])
    #expect(answer(.notFound(.route)).details == ["resource": "route"])
    #expect(
      answer(.userBusy(party: .caller, activeCallId: "c")).details
        == ["party": "caller", "status": "busy", "activeCallId": "c"])
    #expect(
      answer(.userBusy(party: .caller, activeCallId: "c", incomingCallId: "c")).details
        == ["party": "caller", "status": "busy", "activeCallId": "c", "incomingCallId": "c"])
    #expect(answer(.userUnavailable).details == ["party": "callee"])
    #expect(
      answer(.userBusy(party: .callee, activeCallId: nil)).details
        == ["party": "callee", "status": "busy"])
    #expect(
      answer(.invalidTransition(from: .connecting, to: .ringing)).details == [
        "from": "connecting", "to": "ringing", "allowed": ["connected", "disconnecting"],
      ])
    #expect(answer(.rateLimited(retryAfterSeconds: 7)).details == ["retryAfterSeconds": 7])
    for error in [CallError.noActiveCall, .alreadyEnded, .internalError, .callTimeout] {
      #expect(answer(error).details == nil)
    }
  }

  @Test("§2 §3 the header fields that go along")
  func headers() {
    #expect(answer(.methodNotAllowed(allowed: ["GET", "HEAD"]))["Allow"] == "GET, HEAD")
    #expect(answer(.serviceUnavailable)["Retry-After"] == "1")
    #expect(answer(.rateLimited(retryAfterSeconds: 7))["Retry-After"] == "7")
    let challenge = answer(.authenticationFailed("The token has expired"))["WWW-Authenticate"]
    #expect(challenge?.hasPrefix("Bearer ") == true)
    #expect(challenge?.contains("error=\"invalid_token\"") == true)
    let missing = answer(.authenticationFailed(Authenticator.missing))["WWW-Authenticate"]
    #expect(missing == "Bearer realm=\"chattrix\"")
    for (error, status, _) in Self.table where status != 401 {
      #expect(answer(error)["WWW-Authenticate"] == nil)
    }
  }
}
