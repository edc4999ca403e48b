// What a client sends (contract §6.3, §10, §11.1): a heartbeat, a command, or a new token.

import Calls
import HTTP
import JSON

enum ClientMessage {
  case heartbeat
  case command(Command)
  case renewal(Renewal)
  /// To be answered with an `error` frame, which repeats the `requestId` that could be read.
  case invalid(CallError, requestId: JSONValue = .null)

  init(_ text: Span<UInt8>) {
    let message: JSONValue
    do throws(JSONError) {
      message = try JSONParser.parse(text)
    } catch {
      self = .invalid(.malformedJSON(error.description))
      return
    }
    switch message["type"]?.stringValue?.lowercased() {
    case "heartbeat": self = .heartbeat
    case "call.accept": self = Self.command(.call(action: "accept"), message)
    case "call.reject": self = Self.command(.call(action: "reject"), message)
    case "call.end": self = Self.command(.call(action: "end"), message)
    case "history.seen": self = Self.command(.path("calls/history/seen"), message)
    case "auth": self = Self.answerable(message) { .renewal(Renewal(requestId: $0, data: $1)) }
    default:
      self = .invalid(
        .validation(
          "type", .invalidType,
          "type must be one of heartbeat, auth, call.accept, call.reject, call.end, history.seen."),
        requestId: Self.requestId(message, Self.data(message)) ?? .null)
    }
  }

  private static func command(_ target: Command.Target, _ message: JSONValue) -> ClientMessage {
    answerable(message) { .command(Command(target: target, requestId: $0, data: $1)) }
  }

  /// A message that is answered with a `command_result`, which needs a `requestId` that can be repeated.
  private static func answerable(
    _ message: JSONValue, _ make: (_ requestId: JSONValue, _ data: JSONValue) -> ClientMessage
  ) -> ClientMessage {
    let data = data(message)
    guard let requestId = requestId(message, data) else {
      return .invalid(
        .validation(
          "requestId", .invalidType, "requestId must be a number or at most 256 bytes of text."))
    }
    return make(requestId, data)
  }

  /// As a body: what is absent or null counts as {} (contract §1).
  private static func data(_ message: JSONValue) -> JSONValue {
    [message["data"], message["payload"]].compactMap { $0 }.first { $0 != .null } ?? .object([:])
  }

  /// The client's own; null where it gave none, nil where it is none.
  private static func requestId(_ message: JSONValue, _ data: JSONValue) -> JSONValue? {
    let given = [message["requestId"], data["requestId"]].compactMap { $0 }
    let requestId = given.first { $0 != .null } ?? .null
    return switch requestId {
    case .null, .int, .unsigned, .double: requestId
    case .string(let text) where text.utf8.count <= 256: requestId
    default: nil
    }
  }
}

/// A command, to be answered with a `command_result`: the REST request of the same name.
struct Command: Sendable {
  enum Target: Sendable {
    /// `calls/{callId}/action`, the id being a member of the data.
    case call(action: String)
    /// Below `/api/v1/`.
    case path(String)
  }

  let target: Target
  /// The client's own; null where it gave none.
  let requestId: JSONValue
  let data: JSONValue

  /// The request that REST would have had.
  /// - Throws: `CallError.validation` where no call is named and the target has one.
  func request(requestId: String) throws(CallError) -> HTTPRequest {
    guard case .object(var members) = data else {
      throw .validation("data", .invalidType, "data must be an object.")
    }
    members["requestId"] = nil
    return HTTPRequest(
      method: .post, path: "/api/v1/" + (try path(&members)),
      headers: ["Content-Type": "application/json"],
      body: JSONValue.object(members).serialized(), requestId: requestId)
  }

  private func path(_ members: inout [String: JSONValue]) throws(CallError) -> String {
    let action: String
    switch target {
    case .path(let path): return path
    case .call(let name): action = name
    }
    guard let callId = members.removeValue(forKey: "callId"), callId != .null else {
      throw .validation("callId", .required, "callId is required.")
    }
    guard let callId = callId.textOrDigits, !callId.isEmpty else {
      throw .validation("callId", .invalidType, "callId must be a call id.")
    }
    return "calls/\(PercentEncoding.encode(callId))/\(action)"
  }
}
