// What bounds an exchange, and what comes of it.

import HTTP

package struct HTTPExchangeLimits: Sendable {
  /// The connection and the TLS handshake, all addresses of a host together.
  package var connectMilliseconds: Int
  /// The whole exchange, name resolution and a second attempt on a new connection included.
  package var totalMilliseconds: Int
  /// Status and field lines, interim responses and trailer included.
  package var responseHeadBytes: Int
  package var responseBodyBytes: Int
  /// How long a connection may have been idle to be used again: load balancers forget one after 60 s and
  /// more, and some without a word, which would cost the next exchange all of its time.
  package var idleMilliseconds: Int

  package init(
    connectMilliseconds: Int = 5_000, totalMilliseconds: Int = 10_000,
    responseHeadBytes: Int = 16_384, responseBodyBytes: Int = 65_536,
    idleMilliseconds: Int = 30_000
  ) {
    self.connectMilliseconds = connectMilliseconds
    self.totalMilliseconds = totalMilliseconds
    self.responseHeadBytes = responseHeadBytes
    self.responseBodyBytes = responseBodyBytes
    self.idleMilliseconds = idleMilliseconds
  }

  var response: ResponseLimits {
    var limits = ResponseLimits()
    limits.headBytes = responseHeadBytes
    limits.bodyBytes = responseBodyBytes
    return limits
  }
}

package struct HTTPClientResponse: Sendable {
  /// 200–999; redirects (3xx) are not followed.
  package let status: Int
  package let headers: HTTPHeaders
  /// Empty where it was longer than its limit.
  package let body: [UInt8]
  package let bodyExceedsLimit: Bool

  package init(
    status: Int, headers: HTTPHeaders = [:], body: [UInt8] = [], bodyExceedsLimit: Bool = false
  ) {
    self.status = status
    self.headers = headers
    self.body = body
    self.bodyExceedsLimit = bodyExceedsLimit
  }

  init(_ response: ReceivedResponse) {
    self.init(
      status: response.status, headers: response.headers, body: response.body,
      bodyExceedsLimit: response.bodyExceedsLimit)
  }
}
