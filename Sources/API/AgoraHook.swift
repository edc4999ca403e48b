// Agora's notifications about channels (contract §9.1): POST /hooks/agora, outside of /api/v1, signed instead
// of authenticated. Agora repeats what is not answered with 200 within 10 s.

import AgoraNotice
import Calls
import HTTP
import Storage
import System

struct AgoraHook {
  static let path = "/hooks/agora"

  let signature: AgoraNoticeSignature
  let media: MediaStore
  let log: Log

  /// - Throws: `CallError`: `notFound(.route)` where notices are not configured, `methodNotAllowed`,
  ///   `payloadTooLarge`, `badSignature`, and for a body that is no notice `malformedJSON` and `validation`;
  ///   what `MediaStore.record` throws.
  func respond(to request: HTTPRequest) throws -> HTTPResponse {
    guard signature.isConfigured else { throw CallError.notFound(.route) }
    guard request.method == .post else { throw CallError.methodNotAllowed(allowed: ["POST"]) }
    if request.bodyExceedsLimit || request.body.count > AgoraNotice.bodyLimit {
      throw CallError.payloadTooLarge(limitBytes: AgoraNotice.bodyLimit)
    }
    let given = request.headers[AgoraNoticeSignature.field]
    guard signature.isValid(given, of: request.body) else { throw CallError.badSignature }
    let notice = try notice(request.body)
    if let event = channelEvent(notice, requestId: request.requestId) { try media.record(event) }
    var response = HTTPResponse.json(Array("{}".utf8))
    response.headers["X-Request-Id"] = request.requestId
    response.headers["Cache-Control"] = "no-store"
    return response
  }

  private func notice(_ body: [UInt8]) throws(CallError) -> AgoraNotice {
    do { return try AgoraNotice(body) } catch {
      switch error {
      case .malformedJSON(let error): throw .malformedJSON("\(error)")
      case .notAnObject:
        throw .validation("body", .invalidBody, "The body must be a JSON object.")
      case .faults(let faults):
        throw .validation(
          faults.map { fault in
            fault.isMissing
              ? FieldFault(fault.member, .required, "\(fault.member) is required.")
              : FieldFault(
                fault.member, .invalidType, "\(fault.member) is not of the type of a notice's.")
          })
      }
    }
  }

  /// nil where there is nothing to do. A notice whose payload lacks what its type has is logged and answered
  /// like any other: sent again it would be the same.
  private func channelEvent(_ notice: AgoraNotice, requestId: String) -> ChannelEvent? {
    guard let event = notice.event, let channel = notice.channelName else {
      if notice.isOfInterest {
        log.warning(
          "agora_notice_incomplete", requestId: requestId,
          ["noticeId": .string(notice.noticeId), "eventType": .int(notice.eventType)])
      }
      return nil
    }
    return ChannelEvent(
      noticeId: notice.noticeId, channelId: channel, kind: ChannelEvent.Kind(event),
      occurredAtSeconds: notice.occurredAtSeconds,
      notifiedAt: Timestamp(milliseconds: notice.notifyMs))
  }
}

extension ChannelEvent.Kind {
  fileprivate init(_ event: AgoraNotice.Event) {
    self =
      switch event {
      case .joined(let uid, let sequence): .joined(uid: uid, sequence: sequence)
      case .left(let uid, let sequence, let reason):
        .left(uid: uid, sequence: sequence, reason: reason)
      case .destroyed: .destroyed
      }
  }
}
