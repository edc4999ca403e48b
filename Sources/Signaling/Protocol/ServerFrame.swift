// What a client is sent, as JSON (contract §6.2). Frames that are for one connection only carry no
// id: an id names an event of the user.

import HTTP
import JSON
import Storage
import System

enum ServerFrame {
  static func event(_ event: StoredEvent, isChat: Bool) -> [UInt8] {
    var json = JSONWriter(reserving: event.data.count + 128)
    json.beginObject()
    json.member("id", String(event.eventId))
    json.member("type", event.type)
    json.key("data")
    json.raw(isChat ? ChatDialect.translate(event.data) : event.data)
    json.member("timestamp", event.createdAt.iso8601)
    json.endObject()
    return json.bytes
  }

  struct Connected {
    let connectionId: String
    let userId: String
    let heartbeatSeconds: Int
    let lastEventId: Int64
    /// Something after the event that the client named is no longer kept.
    let resync: Bool
    /// Missed incoming calls since the user last looked (contract §11.1).
    let unseenMissed: Int
    let activeCall: [UInt8]?
    /// When the connection ends with its login; nil where it does not.
    let authenticatedUntil: Timestamp?
  }

  static func connected(_ connected: Connected, isChat: Bool) -> [UInt8] {
    local("connected") { json in
      json.member("connectionId", connected.connectionId)
      json.member("userId", connected.userId)
      json.member("heartbeatSeconds", connected.heartbeatSeconds)
      json.member("lastEventId", String(connected.lastEventId))
      if connected.resync { json.member("resync", true) }
      json.member("unseenMissed", connected.unseenMissed)
      json.key("activeCall")
      if let call = connected.activeCall {
        json.raw(isChat ? ChatDialect.translate(call) : call)
      } else {
        json.null()
      }
      json.member("authenticatedUntil", plain: connected.authenticatedUntil?.iso8601)
    }
  }

  /// The login ends soon, and with it the connection (contract §10).
  static func authExpiring(until end: Timestamp) -> [UInt8] {
    local("auth_expiring") { $0.member("authenticatedUntil", plain: end.iso8601) }
  }

  static func heartbeatAck(at now: Timestamp) -> [UInt8] {
    local("heartbeat.ack", at: now) { $0.member("serverTime", now.iso8601) }
  }

  static func commandResult(
    requestId: JSONValue, _ response: HTTPResponse, isChat: Bool
  ) -> [UInt8] {
    local("command_result") { json in
      json.member("requestId", requestId)
      json.member("status", response.status)
      json.key("body")
      json.raw(isChat ? ChatDialect.translate(response.body) : response.body)
    }
  }

  /// What could not be understood at all.
  /// - Parameters:
  ///   - refusal: as REST would answer; its `error` is what the client is told.
  ///   - requestId: the client's own; null where it gave none.
  static func error(_ refusal: HTTPResponse, requestId: JSONValue) -> [UInt8] {
    let body = try? JSONParser.parse(refusal.body)
    return local("error") { json in
      if requestId != .null { json.member("requestId", requestId) }
      for name in ["code", "message", "details"] {
        guard let value = body?["error"]?[name] else { continue }
        json.key(text: name)
        value.write(to: &json)
      }
    }
  }

  private static func local(
    _ type: String, at now: Timestamp = .now(), _ members: (inout JSONWriter) -> Void
  ) -> [UInt8] {
    var json = JSONWriter(reserving: 256)
    json.beginObject()
    json.member("type", type)
    json.key("data")
    json.beginObject()
    members(&json)
    json.endObject()
    json.member("timestamp", now.iso8601)
    json.endObject()
    return json.bytes
  }
}
