// What a handshake asks for, and the checks that need nobody else (contract §6.1): route and method,
// origin, credentials, the rules of RFC 6455, parameters. In this order, so that a request without
// a valid login learns nothing but that, and a ticket is not used up by a request that fails.

import Calls
import HTTP
import WebSocket

struct Admission {
  enum Credential {
    case login(Login)
    /// To be redeemed in Redis.
    case ticket(String)
  }

  enum Refusal: Error {
    case call(CallError)
    case handshake(HandshakeFailure)
  }

  let handshake: Handshake
  let credential: Credential
  let isChat: Bool
  let deviceId: String?
  let lastEventId: Int64?

  static let subprotocol = "chattrix.v1"
  private static let bearerPrefix = "bearer."

  init(
    _ head: RequestHead, _ services: SignalingServices, _ origins: OriginPolicy
  ) throws(Refusal) {
    let request = head.request
    isChat = request.path == "/ws/chat"
    guard request.method == .get else { throw .call(.methodNotAllowed(allowed: ["GET"])) }
    guard origins.permits(request.headers) else { throw .call(.originNotAllowed) }
    do throws(CallError) {
      let query = try Self.query(request)
      credential = try Self.credential(request.headers, query, services)
      deviceId = try Self.deviceId(query)
      lastEventId = try Self.lastEventId(query)
    } catch { throw .call(error) }
    do throws(HandshakeFailure) {
      handshake = try Handshake(head)
    } catch { throw .handshake(error) }
  }

  /// `101`, with the subprotocol where it was offered.
  var response: HTTPResponse {
    let isOffered = handshake.subprotocols.contains(Self.subprotocol)
    return handshake.response(subprotocol: isOffered ? Self.subprotocol : nil)
  }

  private static func query(_ request: HTTPRequest) throws(CallError) -> QueryParameters {
    do { return try QueryParameters(request.query) } catch {
      throw .validation("query", .invalidBody, "The query is not well-formed.")
    }
  }

  /// The first that is there counts, good or bad.
  private static func credential(
    _ headers: HTTPHeaders, _ query: QueryParameters, _ services: SignalingServices
  ) throws(CallError) -> Credential {
    if headers["Authorization"] != nil { return .login(try services.loginOfHeaders(headers)) }
    if let ticket = query["ticket"] {
      guard isTicket(ticket) else { throw .authenticationFailed("The ticket is not valid.") }
      return .ticket(ticket)
    }
    let offered = headers.list("Sec-WebSocket-Protocol").first { $0.hasPrefix(bearerPrefix) }
    if let token = offered?.dropFirst(bearerPrefix.count) {
      return .login(try services.loginOfToken(String(token)))
    }
    guard let token = query["token"] else {
      throw .authenticationFailed("A bearer token or a ticket is required.")
    }
    return .login(try services.loginOfToken(token))
  }

  /// Hexadecimal digits, so that nothing else ever becomes part of a Redis key.
  private static func isTicket(_ text: String) -> Bool {
    (16...128).contains(text.utf8.count)
      && text.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
  }

  private static func deviceId(_ query: QueryParameters) throws(CallError) -> String? {
    guard let text = query["deviceId"] else { return nil }
    guard DeviceID.isValid(text) else {
      throw .validation("deviceId", .invalidDeviceId, "deviceId must be 1 to 128 characters.")
    }
    return text
  }

  private static func lastEventId(_ query: QueryParameters) throws(CallError) -> Int64? {
    guard let text = query["lastEventId"] else { return nil }
    guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }), let id = Int64(text)
    else {
      throw .validation("lastEventId", .invalidEventId, "lastEventId must be a decimal number.")
    }
    return id
  }
}
