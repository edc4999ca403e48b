// What operators ask, as far as it needs no database.

import HTTP
import MySQL
import Storage
import Testing

@testable import API

@Suite struct OperationsTests {
  private let operations = Operations(
    database: Database(MySQLOptions(user: "nobody", password: "", database: "none")), redis: nil,
    metrics: Metrics(counters: nil))

  private func ask(_ method: HTTPMethod, _ path: String) -> HTTPResponse? {
    operations.respond(
      to: HTTPRequest(method: method, path: path, requestId: "0123456789abcdef"))
  }

  @Test("Liveness answers GET and HEAD", arguments: [HTTPMethod.get, .head])
  func health(method: HTTPMethod) {
    let response = ask(method, "/healthz")
    #expect(response?.status == 200)
    #expect(response?.headers["X-Request-Id"] == "0123456789abcdef")
  }

  @Test(
    "Other methods are refused with 405, and nothing is asked for them",
    arguments: ["/healthz", "/readyz", "/metrics"])
  func methods(path: String) {
    for method in [HTTPMethod.post, .put, .patch, .delete, .options, .other("FOO")] {
      let response = ask(method, path)
      #expect(response?.status == 405)
      #expect(response?.headers["Allow"] == "GET, HEAD")
    }
  }

  @Test("Other paths are not for operators", arguments: ["/", "/healthz/", "/api/v1/calls/active"])
  func others(path: String) { #expect(ask(.get, path) == nil) }
}
