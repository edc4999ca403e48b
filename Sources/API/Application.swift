// The REST application of one worker: route, JWT, rate limit, body, then the rules (contract §3),
// and the one catch that turns what is thrown into a response.

import Calls
import HTTP
import JSON
import MySQL
import Redis
import Storage
import System

package final class Application {
  private let authenticator: Authenticator
  private let limiter: RateLimiter
  private let crossOrigin: CrossOrigin
  private let router: Router
  private let agoraHook: AgoraHook
  private let requests: RequestCounters
  private let log: Log

  package static let bodyLimitBytes = 16_384

  /// - Parameters:
  ///   - redis: nil where none is configured: limits are kept per process, and there are no tickets.
  ///   - counters: Where requests are counted.
  package init(
    _ settings: APISettings, authenticator: Authenticator, database: Database,
    redis: RedisConnection?, counters: CounterSlot = .none, log: Log
  ) {
    self.authenticator = authenticator
    self.log = log
    requests = RequestCounters(counters)
    limiter = RateLimiter(redis: redis, limits: settings.limits, log: log)
    crossOrigin = CrossOrigin(origins: settings.allowedOrigins)
    router = Router(routes: Application.routes(settings, database, redis))
    let media = MediaStore(
      database, hints: Hints(redis: redis, recording: database.recording),
      absenceSeconds: settings.absenceSeconds)
    agoraHook = AgoraHook(signature: settings.noticeSignature, media: media, log: log)
  }

  /// By the numbers that requests are counted under.
  package var routeNames: [RequestCounters.RouteName] {
    [("-", "-"), ("POST", AgoraHook.path)]
      + router.routes.map { ($0.method.name, Router.prefix + $0.pattern.dropFirst()) }
  }

  /// Answers a request that came over HTTP.
  package func respond(to request: HTTPRequest) -> HTTPResponse {
    if request.path == AgoraHook.path { return takeNotice(request) }
    let started = MonotonicClock.microseconds()
    if let response = crossOrigin.preflight(request) {
      count(response, route: RequestCounters.unrouted, since: started)
      return response
    }
    var response = answer(request) { _ throws(CallError) in
      try self.authenticator.login(of: request.headers)
    }
    crossOrigin.addFields(to: &response, request)
    return response
  }

  /// Answers a request that an authenticated signaling connection makes: the same rules and the
  /// same code (contract §6.3).
  /// - Parameter deviceId: As the connection named it.
  package func respond(
    to request: HTTPRequest, as userId: String, connectionId: String, deviceId: String?
  ) -> HTTPResponse {
    answer(request, connectionId: connectionId, deviceId: deviceId) { _ throws(CallError) in
      Login(userId: userId, endsAtSeconds: nil)
    }
  }

  private func answer(
    _ request: HTTPRequest, connectionId: String? = nil, deviceId: String? = nil,
    authenticate: (HTTPRequest) throws(CallError) -> Login
  ) -> HTTPResponse {
    let started = MonotonicClock.microseconds()
    var extra: HTTPHeaders = [:]
    var route: Route?
    var userId: String?
    var response: HTTPResponse
    do {
      let found = try router.route(request)
      route = found.route
      let login = try authenticate(request)
      userId = login.userId
      try limit(found.route, login.userId, request, &extra)
      let context = Context(
        request: request, userId: login.userId, callId: found.callId, query: try query(request),
        body: try body(request), connectionId: connectionId,
        connectionDevice: deviceId, loginEndsAt: login.endsAt)
      response = Envelope.success(
        try found.route.handler(context), requestId: request.requestId)
    } catch {
      response = Envelope.failure(
        refusal(error, route, request), requestId: request.requestId)
    }
    for field in extra.fields { response.headers[field.name] = field.value }
    note(
      request, response, route: (route?.number ?? RequestCounters.unrouted, route?.pattern ?? "-"),
      userId: userId, since: started)
    return response
  }

  /// Answers a notice of Agora's: no user, no limit, and no envelope around a success (contract §9.1).
  private func takeNotice(_ request: HTTPRequest) -> HTTPResponse {
    let started = MonotonicClock.microseconds()
    let response: HTTPResponse
    do { response = try agoraHook.respond(to: request) } catch {
      response = Envelope.failure(
        refusal(error, nil, request), requestId: request.requestId)
    }
    note(
      request, response, route: (RequestCounters.agoraHook, AgoraHook.path), userId: nil,
      since: started)
    return response
  }

  /// - Parameters:
  ///   - route: Its number, and as the log shows it.
  ///   - started: Microseconds of the monotonic clock.
  private func note(
    _ request: HTTPRequest, _ response: HTTPResponse, route: (number: Int, pattern: String),
    userId: String?, since started: Int64
  ) {
    let microseconds = count(response, route: route.number, since: started)
    log.info(
      "request", requestId: request.requestId,
      [
        "method": .string(request.method.name), "route": .string(route.pattern),
        "status": .int(Int64(response.status)), "userId": userId.map { .string($0) } ?? .null,
        "milliseconds": .int(microseconds / 1000),
      ])
  }

  /// - Returns: How long it took, in microseconds.
  @discardableResult
  private func count(_ response: HTTPResponse, route: Int, since started: Int64) -> Int64 {
    let microseconds = MonotonicClock.microseconds() - started
    requests.count(route: route, status: response.status, microseconds: microseconds)
    return microseconds
  }

  private func limit(
    _ route: Route, _ userId: String, _ request: HTTPRequest, _ headers: inout HTTPHeaders
  ) throws(CallError) {
    guard let limit = route.limit,
      let decision = limiter.take(limit, user: userId, requestId: request.requestId)
    else { return }
    headers = decision.headers
    if !decision.isAllowed {
      throw .rateLimited(retryAfterSeconds: decision.resetSeconds)
    }
  }

  private func query(_ request: HTTPRequest) throws(CallError) -> QueryParameters {
    do { return try QueryParameters(request.query) } catch {
      throw .validation("query", .invalidBody, "The query is not well-formed.")
    }
  }

  /// The members of the body; an absent body counts as `{}` (contract §1). A body that comes with a GET
  /// or DELETE is held to the same rules: its `userId` must be the user's own as well (§2).
  private func body(_ request: HTTPRequest) throws(CallError) -> [String: JSONValue] {
    if request.bodyExceedsLimit || request.body.count > Self.bodyLimitBytes {
      throw .payloadTooLarge(limitBytes: Self.bodyLimitBytes)
    }
    if request.body.isEmpty { return [:] }
    let type = request.headers["Content-Type"]?.split(separator: ";").first ?? ""
    guard type.trimmingBlanks.lowercased() == "application/json" else {
      throw .unsupportedMediaType
    }
    let value: JSONValue
    do { value = try JSONParser.parse(request.body) } catch { throw .malformedJSON("\(error)") }
    guard let members = value.objectValue else {
      throw .validation("body", .invalidBody, "The body must be a JSON object.")
    }
    return members
  }

  /// What a client is told of an error, and what the log is (R12.4).
  private func refusal(_ error: any Error, _ route: Route?, _ request: HTTPRequest) -> CallError {
    if let error = error as? CallError, error != .internalError { return error }
    let database = error as? MySQLError
    if let database,
      database.isUnavailable || database.isConflict || database.isStatementTimeout
    {
      log.error(
        "database_unavailable", requestId: request.requestId,
        ["error": .string(database.description)])
      return .serviceUnavailable
    }
    let trace = database?.backtrace ?? Backtrace.capture()
    log.error(
      "internal_error", requestId: request.requestId,
      [
        "error": .string("\(error)"), "route": .string(route?.pattern ?? "-"),
        "sql": database?.sql.map { .string($0) } ?? .null,
        "backtrace": .array(trace.lines.map { .string($0) }),
      ])
    return route?.failure ?? .internalError
  }
}

extension Substring {
  fileprivate var trimmingBlanks: Substring {
    var text = self
    while text.first?.isWhitespace == true { text = text.dropFirst() }
    while text.last?.isWhitespace == true { text = text.dropLast() }
    return text
  }
}
