// The routes of /api/v1 (contract §4): which path and method leads to which handler, and what
// limits it.

import Calls
import HTTP

struct Route {
  typealias Handler = (Context) throws -> Reply

  let method: HTTPMethod
  /// Segments after `/api/v1`; `{callId}` stands for any one.
  let path: [String]
  let limit: RateLimit?
  /// What a failure that is nobody's fault is called (R3.5, R4.5).
  let failure: CallError
  let handler: Handler

  init(
    _ method: HTTPMethod, _ path: String, limit: RateLimit? = nil,
    failure: CallError = .internalError, _ handler: @escaping Handler
  ) {
    self.method = method
    self.path = path.split(separator: "/").map(String.init)
    (self.limit, self.failure, self.handler) = (limit, failure, handler)
  }

  /// As the log shows it: without anybody's ids.
  var pattern: String { "/" + path.joined(separator: "/") }
}

struct Router {
  static let prefix = "/api/v1/"
  private static let placeholder = "{callId}"

  let routes: [Route]

  /// - Returns: The route, and what stands in the place of `{callId}`.
  /// - Throws: `CallError.notFound(.route)`; `CallError.methodNotAllowed` with the methods that the
  ///   path has.
  func route(_ request: HTTPRequest) throws(CallError) -> (route: Route, callId: String) {
    guard request.path.hasPrefix(Self.prefix) else { throw .notFound(.route) }
    let rest = request.path.dropFirst(Self.prefix.count)
    let segments = rest.split(separator: "/", omittingEmptySubsequences: false)
    // A fixed segment is nearer than a placeholder: /calls/active is no call id.
    let matches = routes.filter { Self.matches($0.path, segments) }
    let exact = matches.filter { !$0.path.contains(Self.placeholder) }
    let candidates = exact.isEmpty ? matches : exact
    guard let first = candidates.first else { throw .notFound(.route) }
    let method = request.method == .head ? .get : request.method
    guard let route = candidates.first(where: { $0.method == method }) else {
      let names = candidates.flatMap { $0.method == .get ? ["GET", "HEAD"] : [$0.method.name] }
      throw .methodNotAllowed(allowed: names)
    }
    guard let place = first.path.firstIndex(of: Self.placeholder) else { return (route, "") }
    let decoded = try? PercentEncoding.decode(segments[place], plusIsSpace: false)
    guard let callId = decoded else { throw .notFound(.call) }
    return (route, callId)
  }

  private static func matches(_ path: [String], _ segments: [Substring]) -> Bool {
    path.count == segments.count
      && zip(path, segments).allSatisfy {
        $0 == $1 || $0 == placeholder && !$1.isEmpty
      }
  }
}
