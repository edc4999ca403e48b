// A request as every part of the product sees it, whether it came over FastCGI or over a socket.

package struct HTTPRequest: Sendable, Equatable {
  package var method: HTTPMethod
  /// The path as it was sent, percent-encoded, without the query.
  package var path: String
  /// The query as it was sent, without the `?`; empty where there was none.
  package var query: String
  package var headers: HTTPHeaders
  package var body: [UInt8]
  /// The body was longer than the server that read it takes; `body` is empty then (contract §1: 413).
  package var bodyExceedsLimit = false
  /// What the response's `X-Request-Id` and every log line of this request bear (R12.5).
  package var requestId: String
  /// The client's address as the nearest trusted proxy knows it; may be empty.
  package var remoteAddress: String

  package init(
    method: HTTPMethod, path: String, query: String = "", headers: HTTPHeaders = [:],
    body: [UInt8] = [], requestId: String = "", remoteAddress: String = ""
  ) {
    self.method = method
    self.path = path
    self.query = query
    self.headers = headers
    self.body = body
    self.requestId = requestId
    self.remoteAddress = remoteAddress
  }
}
