// The routes of /api/v1 (contract §4): which path and method leads to which handler, and what
// limits it.

import Calls
import HTTP

struct Route {
  typealias Handler = (Context) throws -> Reply

  let method: HTTPMethod
  /// After `/api/v1/`; `{callId}` stands for any one segment.
  let path: String
  /// nil for what ends a call, which no limit may refuse (contract §11.4).
  let limit: RateLimit?
  /// Error code for an unexpected failure of this route (R3.5, R4.5).
  let failure: CallError
  let handler: Handler
  /// As the log shows it: without ids.
  let pattern: String
  /// What ``RequestCounters`` knows it by.
  fileprivate(set) var number = RequestCounters.unrouted
  fileprivate let matcher: PathMatcher

  init(
    _ method: HTTPMethod, _ path: String, limit: RateLimit? = .other,
    failure: CallError = .internalError, _ handler: @escaping Handler
  ) {
    (self.method, self.path, pattern) = (method, path, "/" + path)
    matcher = PathMatcher(path)
    (self.limit, self.failure, self.handler) = (limit, failure, handler)
  }
}

struct Router {
  static let prefix = "/api/v1/"

  /// Those without a placeholder come first: /calls/active is no call id.
  let routes: [Route]

  init(routes: [Route]) {
    var sorted =
      routes.filter { !$0.matcher.hasPlaceholder } + routes.filter { $0.matcher.hasPlaceholder }
    for index in sorted.indices { sorted[index].number = RequestCounters.firstRoute + index }
    self.routes = sorted
  }

  /// - Returns: The route, and what stands in the place of `{callId}`.
  /// - Throws: `CallError.notFound(.route)`; `CallError.methodNotAllowed` with the methods that the
  ///   path has.
  func route(_ request: HTTPRequest) throws(CallError) -> (route: Route, callId: String) {
    guard request.path.hasPrefix(Self.prefix) else { throw .notFound(.route) }
    let path = request.path.utf8Span.span.extracting(droppingFirst: Self.prefix.utf8.count)
    let method = request.method == .head ? .get : request.method
    var (isFound, isFixed) = (false, false)
    for route in routes {
      guard let place = route.matcher.match(path) else { continue }
      if isFixed, route.matcher.hasPlaceholder { break }
      (isFound, isFixed) = (true, !route.matcher.hasPlaceholder)
      if route.method == method { return (route, try callId(path, place)) }
    }
    guard isFound else { throw .notFound(.route) }
    throw .methodNotAllowed(allowed: methods(path, isFixed: isFixed))
  }

  /// Of the routes that have this path.
  private func methods(_ path: Span<UInt8>, isFixed: Bool) -> [String] {
    var methods: [String] = []
    for route in routes where route.matcher.hasPlaceholder != isFixed {
      guard route.matcher.match(path) != nil else { continue }
      methods += route.method == .get ? ["GET", "HEAD"] : [route.method.name]
    }
    return methods
  }

  private func callId(_ path: Span<UInt8>, _ place: Range<Int>) throws(CallError) -> String {
    if place.isEmpty { return "" }
    let segment = path.extracting(place).withUnsafeBufferPointer {
      String(decoding: $0, as: UTF8.self)
    }
    do { return try PercentEncoding.decode(segment[...], plusIsSpace: false) } catch {
      throw .notFound(.call)
    }
  }
}

/// A path with at most one placeholder, matched without taking it apart.
private struct PathMatcher {
  private let before: [UInt8]
  private let after: [UInt8]
  let hasPlaceholder: Bool

  private static let placeholder = "{callId}"

  init(_ path: String) {
    let segments = path.split(separator: "/", omittingEmptySubsequences: false)
    guard let place = segments.firstIndex(where: { $0 == Self.placeholder }) else {
      (before, after, hasPlaceholder) = (Array(path.utf8), [], false)
      return
    }
    before = Array(segments[..<place].map { "\($0)/" }.joined().utf8)
    after = Array(segments[(place + 1)...].map { "/\($0)" }.joined().utf8)
    hasPlaceholder = true
  }

  /// - Returns: Where the placeholder's segment is, empty without one; nil where the path is another.
  func match(_ path: Span<UInt8>) -> Range<Int>? {
    let end = path.count - after.count
    guard hasPlaceholder ? end > before.count : path.count == before.count else { return nil }
    let place = before.count..<end
    for index in before.indices where path[index] != before[index] { return nil }
    if !hasPlaceholder { return 0..<0 }
    for index in after.indices where path[place.upperBound + index] != after[index] { return nil }
    for index in place where path[index] == UInt8(ascii: "/") { return nil }
    return place
  }
}
