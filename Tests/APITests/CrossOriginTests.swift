// Cross-origin access (contract §7.9).

import Calls
import HTTP
import Testing

@testable import API

@Suite struct CrossOriginTests {
  private let listed = "https://app.example.com"

  private func request(_ method: HTTPMethod, origin: String?, preflight: Bool = false)
    -> HTTPRequest
  {
    var request = HTTPRequest(method: method, path: "/api/v1/calls/active", requestId: "r")
    request.headers["Origin"] = origin
    if preflight { request.headers["Access-Control-Request-Method"] = "POST" }
    return request
  }

  private func corsFields(_ response: HTTPResponse) -> [String] {
    response.headers.fields.map(\.name).filter { $0.hasPrefix("Access-Control") }
  }

  @Test("§7.9 without ALLOWED_ORIGINS no CORS field at all, and no preflight")
  func off() {
    let crossOrigin = CrossOrigin(origins: [])
    #expect(crossOrigin.preflight(request(.options, origin: listed, preflight: true)) == nil)
    var response = Envelope.failure(.noActiveCall, requestId: "r")
    crossOrigin.addFields(to: &response, request(.get, origin: listed))
    #expect(corsFields(response).isEmpty)
    #expect(response.headers["Vary"] == nil)
  }

  @Test("§7.9 a listed origin is echoed, on a refusal too, with Vary: Origin")
  func echo() {
    let crossOrigin = CrossOrigin(origins: [listed, "http://localhost:3000"])
    for origin in [listed, "http://localhost:3000"] {
      var response = Envelope.failure(.authenticationFailed("x"), requestId: "r")
      crossOrigin.addFields(to: &response, request(.get, origin: origin))
      #expect(response.headers.values("Access-Control-Allow-Origin") == [origin])
      #expect(response.headers["Vary"] == "Origin")
      #expect(
        response.headers["Access-Control-Expose-Headers"]?.contains("Retry-After") == true)
    }
  }

  @Test(
    "§7.15 a listed origin in another spelling is echoed exactly as it came",
    arguments: ["https://app.example.com:443", "https://APP.example.com"])
  func spelling(origin: String) {
    var response = Envelope.failure(.noActiveCall, requestId: "r")
    CrossOrigin(origins: [listed]).addFields(to: &response, request(.get, origin: origin))
    #expect(response.headers["Access-Control-Allow-Origin"] == origin)
  }

  @Test(
    "§7.9 any other origin gets nothing but Vary",
    arguments: [
      nil, "", "null", "*", "https://app.example.com.evil.com", "https://app.example.com:8443",
      "http://app.example.com", "https://app.example.com/", "https://evil.com",
    ])
  func others(origin: String?) {
    let crossOrigin = CrossOrigin(origins: [listed])
    var response = Envelope.failure(.noActiveCall, requestId: "r")
    crossOrigin.addFields(to: &response, request(.get, origin: origin))
    #expect(corsFields(response).isEmpty)
    #expect(response.headers["Vary"] == "Origin")
    let preflight = crossOrigin.preflight(request(.options, origin: origin, preflight: true))
    if origin != nil {
      #expect(preflight?.status == 204)
      #expect(preflight.map(corsFields)?.isEmpty == true)
    }
  }

  @Test("§7.9 a preflight is 204 with what may be sent")
  func preflight() throws {
    let crossOrigin = CrossOrigin(origins: [listed])
    let response = try #require(
      crossOrigin.preflight(request(.options, origin: listed, preflight: true)))
    #expect(response.status == 204)
    #expect(response.body.isEmpty)
    #expect(response.headers["Access-Control-Allow-Origin"] == listed)
    for method in ["GET", "POST", "PATCH", "DELETE"] {
      #expect(response.headers["Access-Control-Allow-Methods"]?.contains(method) == true)
    }
    for field in ["Authorization", "Content-Type", "Idempotency-Key"] {
      #expect(response.headers["Access-Control-Allow-Headers"]?.contains(field) == true)
    }
    #expect(response.headers["Vary"]?.contains("Origin") == true)
    #expect(response.headers["X-Request-Id"] == "r")
    // Whoever names an origin means just that; an OPTIONS without one is a request like any other.
    #expect(crossOrigin.preflight(request(.options, origin: listed))?.status == 204)
    #expect(crossOrigin.preflight(request(.options, origin: nil)) == nil)
  }
}
