// The head of an HTTP/1.1 request as ``RequestHeadParser`` gives it, and what can be wrong with one.

package struct RequestHead: Sendable, Equatable {
  /// Body, request id and remote address are empty: they are the caller's to fill in.
  package var request: HTTPRequest
  /// The digit after `HTTP/1.`: 0 or 1.
  package var minorVersion: Int
}

package enum RequestHeadError: Error, Equatable {
  /// Not RFC 9112: a bad line, a folded field, a bare CR or LF, no Host.
  case malformed
  /// More than ``RequestHeadParser/maximumBytes`` or ``RequestHeadParser/maximumFields``.
  case tooLarge
  /// Neither HTTP/1.0 nor HTTP/1.1.
  case unsupportedVersion
  /// A request with a body: nobody behind this parser takes one.
  case bodyNotSupported

  /// The status to answer with before closing.
  package var status: Int {
    switch self {
    case .malformed: 400
    case .tooLarge: 431
    case .unsupportedVersion: 505
    case .bodyNotSupported: 413
    }
  }
}
