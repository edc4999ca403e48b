// What operators and load balancers ask, on loopback and without a JWT (contract §1, §7.14):
// /healthz (this process answers), /readyz (it can do its work), /metrics (what the pool has done).

import Exposition
import HTTP
import JSON
import Redis
import Storage

package struct Operations {
  private let database: Database
  private let redis: RedisConnection?
  private let metrics: Metrics

  package init(database: Database, redis: RedisConnection?, metrics: Metrics) {
    (self.database, self.redis, self.metrics) = (database, redis, metrics)
  }

  /// - Returns: nil where the path is none of these.
  package func respond(to request: HTTPRequest) -> HTTPResponse? {
    guard Self.paths.contains(request.path) else { return nil }
    guard request.method == .get || request.method == .head else {
      return Envelope.failure(
        .methodNotAllowed(allowed: ["GET", "HEAD"]), requestId: request.requestId)
    }
    return answer(request)
  }

  private static let paths: Set<String> = ["/healthz", "/readyz", "/metrics"]

  private func answer(_ request: HTTPRequest) -> HTTPResponse {
    switch request.path {
    case "/healthz": json(200, ["status": "ok"], request)
    case "/readyz": readiness(request)
    default:
      HTTPResponse(
        status: 200,
        headers: [
          "Content-Type": Exposition.contentType,
          "X-Request-Id": request.requestId,
        ], body: Array(metrics.exposition().utf8))
    }
  }

  private func readiness(_ request: HTTPRequest) -> HTTPResponse {
    guard database.ping() else {
      return json(
        503, ["status": "unavailable", "database": "unavailable"], request,
        headers: ["Retry-After": "1"])
    }
    guard let redis, Self.isWritable(redis) else {
      return json(
        200, ["status": "degraded", "database": "ok", "redis": "unavailable"], request)
    }
    return json(200, ["status": "ready"], request)
  }

  /// Tries what rate limits and tickets need: a replica and a Redis without memory answer, and take no
  /// writes (contract §7.14).
  package static func isWritable(_ redis: RedisConnection) -> Bool {
    (try? redis.command("SETEX", "chattrix:ready", "60", "1")) == .simple("OK")
  }

  private func json(
    _ status: Int, _ body: JSONValue, _ request: HTTPRequest, headers: HTTPHeaders = [:]
  ) -> HTTPResponse {
    var response = HTTPResponse.json(body.serialized(), status: status)
    response.headers["X-Request-Id"] = request.requestId
    response.headers["Cache-Control"] = "no-store"
    for field in headers.fields { response.headers[field.name] = field.value }
    return response
  }
}
