// Which web pages may open a connection (contract §6.1, §7.8; RFC 6455 section 10.2): those of the
// allow-list, or without one those of the host itself. What is no browser sends no Origin.

import HTTP

struct OriginPolicy {
  let allowed: Set<String>

  func permits(_ headers: HTTPHeaders) -> Bool {
    let origins = headers.values("Origin")
    guard let origin = origins.first else { return true }
    guard origins.count == 1 else { return false }
    if !allowed.isEmpty { return allowed.contains(origin) }
    guard let host = headers["Host"] else { return false }
    return Self.isOwn(origin, host: host)
  }

  private static func isOwn(_ origin: String, host: String) -> Bool {
    for (scheme, port) in [("https://", ":443"), ("http://", ":80")] {
      guard origin.count > scheme.count,
        HTTPText.equalIgnoringCase(origin.prefix(scheme.count), scheme[...])
      else { continue }
      return HTTPText.equalIgnoringCase(
        withoutPort(origin.dropFirst(scheme.count), port), withoutPort(host[...], port))
    }
    return false
  }

  /// The default port may be named on one side and not on the other.
  private static func withoutPort(_ authority: Substring, _ port: String) -> Substring {
    authority.hasSuffix(port) ? authority.dropLast(port.count) : authority
  }
}
