// Which web pages may open a connection (contract §6.1, §7.8, §7.15; RFC 6455 section 10.2): those of the
// allow-list, or without one those of the host itself. What is no browser may send no Origin.

import HTTP

struct OriginPolicy {
  /// Normalized (`HTTPOrigin`).
  let allowed: Set<String>

  func permits(_ headers: HTTPHeaders) -> Bool {
    let origins = headers.values("Origin")
    guard let origin = origins.first else { return true }
    guard origins.count == 1 else { return false }
    if !allowed.isEmpty { return HTTPOrigin.normalized(origin).map(allowed.contains) ?? false }
    guard let host = headers["Host"] else { return false }
    return HTTPOrigin.isOwn(origin, host: host)
  }
}
