import Calls
import HTTP
import Testing

@testable import API

@Suite struct RouterTests {
  private let router: Router

  init() {
    func route(_ method: HTTPMethod, _ path: String) -> Route {
      Route(method, path) { _ in Reply { $0.string(path) } }
    }
    router = Router(routes: [
      route(.get, "calls/active"), route(.get, "calls/history"),
      route(.delete, "calls/history/{callId}"), route(.get, "calls/{callId}"),
      route(.post, "calls/{callId}/accept"), route(.patch, "calls/{callId}/status"),
      route(.post, "calls/initiate"),
    ])
  }

  private func found(_ method: HTTPMethod, _ path: String) throws(CallError) -> (String, String) {
    let (route, callId) = try router.route(HTTPRequest(method: method, path: path))
    return (route.pattern, callId)
  }

  private func refusal(_ method: HTTPMethod, _ path: String) -> CallError? {
    do throws(CallError) {
      _ = try found(method, path)
      return nil
    } catch { return error }
  }

  @Test("§4 paths lead to their routes, fixed segments before placeholders")
  func routes() throws {
    #expect(try found(.get, "/api/v1/calls/active") == ("/calls/active", ""))
    #expect(try found(.get, "/api/v1/calls/abc") == ("/calls/{callId}", "abc"))
    #expect(try found(.post, "/api/v1/calls/abc/accept") == ("/calls/{callId}/accept", "abc"))
    #expect(try found(.patch, "/api/v1/calls/abc/status") == ("/calls/{callId}/status", "abc"))
    #expect(
      try found(.delete, "/api/v1/calls/history/abc") == ("/calls/history/{callId}", "abc"))
    #expect(try found(.head, "/api/v1/calls/active").0 == "/calls/active")
  }

  @Test(
    "R12.2 what is no route is RESOURCE_NOT_FOUND",
    arguments: [
      "/", "/api", "/api/v1", "/api/v1/", "/api/v2/calls/active", "/calls/active",
      "/api/v1/calls", "/api/v1/calls/", "/api/v1/calls/active/", "/api/v1//calls/active",
      "/api/v1/calls//accept", "/api/v1/calls/a/b/c", "/api/v1/Calls/active",
      "/api/v1/calls/abc/unknown", "/api/v1/calls/abc/accept/", "/api/v1/users",
    ])
  func noRoute(path: String) {
    for method in [HTTPMethod.get, .post, .other("BREW")] {
      #expect(refusal(method, path) == .notFound(.route))
    }
  }

  @Test("§3 another method is 405 with those that are allowed")
  func methods() {
    #expect(
      refusal(.post, "/api/v1/calls/active") == .methodNotAllowed(allowed: ["GET", "HEAD"]))
    #expect(refusal(.get, "/api/v1/calls/initiate") == .methodNotAllowed(allowed: ["POST"]))
    #expect(
      refusal(.put, "/api/v1/calls/abc") == .methodNotAllowed(allowed: ["GET", "HEAD"]))
    #expect(
      refusal(.other("BREW"), "/api/v1/calls/abc/status")
        == .methodNotAllowed(allowed: ["PATCH"]))
    #expect(refusal(.options, "/api/v1/calls/abc/accept") == .methodNotAllowed(allowed: ["POST"]))
  }

  @Test("§4 a call id is percent-decoded; what cannot be is no call")
  func decoding() throws {
    #expect(try found(.get, "/api/v1/calls/a%2Db").1 == "a-b")
    #expect(try found(.get, "/api/v1/calls/a%2Fb").1 == "a/b")
    #expect(try found(.get, "/api/v1/calls/a+b").1 == "a+b")
    #expect(try found(.get, "/api/v1/calls/%61ctive").1 == "active")
    for path in ["a%2", "a%zz", "%", "%ff", "%00"] {
      #expect(refusal(.get, "/api/v1/calls/" + path) == .notFound(.call))
    }
  }
}
