// A response to a request of our own as ``ResponseParser`` gives it, and what can be wrong with one.

package struct ReceivedResponse: Sendable, Equatable {
  /// 200–999: interim responses (1xx) are skipped.
  package var status = 0
  package var headers = HTTPHeaders()
  /// Empty where it was longer than ``ResponseLimits/bodyBytes``.
  package var body: [UInt8] = []
  package var bodyExceedsLimit = false
  /// Whether another request may follow on the connection (RFC 9112, 9.3).
  package var keepsConnection = false
}

/// What one response may be at the most.
package struct ResponseLimits: Sendable {
  /// All status and field lines, those of interim responses and of the trailer included, in bytes.
  package var headBytes = 16_384
  /// Field lines of one head.
  package var fields = 128
  /// The body without its framing, in bytes.
  package var bodyBytes = 65_536
  /// The line that says how long a chunk is, with its extensions and CRLF, in bytes.
  package var chunkLineBytes = 256

  package init() {}
}

package enum ResponseError: Error, Equatable, Sendable {
  /// Not RFC 9112; what, in a few words.
  case malformed(String)
  /// A head beyond ``ResponseLimits``.
  case headTooLarge
  /// The stream ended within it.
  case incomplete
}
