// What an operator asks the sidecar itself, from its own host only (contract §1): /healthz, /readyz,
// /metrics. Everything else that is not /ws is not here.

import Calls
import Exposition
import HTTP

extension Hub {
  func operation(_ request: HTTPRequest, _ requestId: String, _ address: String) -> HTTPResponse {
    guard AddressLimits.isLocal(address) else {
      return services.refusal(.notFound(.route), requestId)
    }
    var response: HTTPResponse
    switch request.path {
    case "/healthz": response = .json(Array(#"{"status":"ok"}"#.utf8))
    case "/readyz": response = readiness
    case "/metrics": response = exposition
    default: return services.refusal(.notFound(.route), requestId)
    }
    guard request.method == .get else {
      return services.refusal(.methodNotAllowed(allowed: ["GET"]), requestId)
    }
    response.headers["X-Request-Id"] = requestId
    response.headers["Cache-Control"] = "no-store"
    return response
  }

  private var exposition: HTTPResponse {
    var queues = [
      ("readers", readers.waiting), ("writers", writers.waiting), ("presence", presence.waiting),
    ]
    if let roster { queues.append(("roster", roster.waiting)) }
    var page = Exposition()
    metrics.write(
      Metrics.State(
        connections: server.connectionCount, users: users.count, isMySQLUp: isDatabaseGood,
        isRedisUp: isRedisGood, queues: queues, slowReaders: server.slowReaders), to: &page)
    services.writeMetrics(&page)
    var response = HTTPResponse.text(page.text)
    response.headers["Content-Type"] = Exposition.contentType
    return response
  }

  private var isDatabaseGood: Bool { mysql.isGood && mysqlWrites.isGood }
  private var isRedisGood: Bool { redis.isGood && redisWrites.isGood }

  /// Finds out once a second, on the thread that notes presence, whether MySQL and Redis take writes.
  func checkWrites() {
    guard !isCheckingWrites else { return }
    isCheckingWrites = true
    let (mailbox, mysqlWrites, redisWrites) = (mailbox, mysqlWrites, redisWrites)
    presence.submit { backend in
      _ = mysqlWrites.attempt { try backend.checkDatabase() }
      _ = redisWrites.attempt { try backend.checkRedis() }
      mailbox.post(.writesChecked)
    }
  }

  /// As the worker's (contract §7.14).
  private var readiness: HTTPResponse {
    guard isDatabaseGood else {
      let body = #"{"status":"unavailable","database":"unavailable"}"#
      var response = HTTPResponse.json(Array(body.utf8), status: 503)
      response.headers["Retry-After"] = "1"
      return response
    }
    let status =
      isRedisGood
      ? #"{"status":"ready"}"# : #"{"status":"degraded","database":"ok","redis":"unavailable"}"#
    return .json(Array(status.utf8))
  }
}
