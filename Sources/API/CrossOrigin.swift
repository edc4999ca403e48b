// Cross-origin access for the origins of ALLOWED_ORIGINS (contract §7.9; Fetch standard, "CORS
// protocol"). Without that setting no field of CORS is ever sent.

import HTTP

struct CrossOrigin {
  /// Normalized (`HTTPOrigin`); what a request says is echoed as it came.
  private let origins: Set<String>

  private static let methods = "GET, POST, PUT, PATCH, DELETE"
  private static let requestFields = "Authorization, Content-Type, Idempotency-Key"
  private static let responseFields = """
    X-Request-Id, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, \
    Idempotency-Replayed, WWW-Authenticate
    """

  init(origins: Set<String>) { self.origins = origins }

  /// The answer to a preflight, or nil where the request is none or CORS is not configured. Any OPTIONS
  /// that names its origin is taken for one: there is nothing else that it could mean here.
  func preflight(_ request: HTTPRequest) -> HTTPResponse? {
    guard !origins.isEmpty, request.method == .options, request.headers["Origin"] != nil
    else { return nil }
    var response = HTTPResponse(status: 204, headers: ["X-Request-Id": request.requestId])
    if isAllowed(request) {
      response.headers["Access-Control-Allow-Methods"] = Self.methods
      response.headers["Access-Control-Allow-Headers"] = Self.requestFields
      response.headers["Access-Control-Max-Age"] = "600"
    }
    addFields(to: &response, request)
    return response
  }

  /// Lets a page of a listed origin read the response.
  func addFields(to response: inout HTTPResponse, _ request: HTTPRequest) {
    guard !origins.isEmpty else { return }
    response.headers.append("Vary", "Origin")
    guard isAllowed(request), let origin = request.headers["Origin"] else { return }
    response.headers["Access-Control-Allow-Origin"] = origin
    if request.method != .options {
      response.headers["Access-Control-Expose-Headers"] = Self.responseFields
    }
  }

  private func isAllowed(_ request: HTTPRequest) -> Bool {
    request.headers["Origin"].flatMap { HTTPOrigin.normalized($0) }.map(origins.contains) ?? false
  }
}
