// Why an exchange brought no response. No case carries a part of the request, whose URL, fields and body may
// hold secrets.

import HTTP

package enum HTTPClientError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Certificates to trust could not be loaded.
  case trustStore(String)
  case nameResolution(String)
  /// No address of the host took the connection; the reason of the last one.
  case connect(String)
  /// TLS failed otherwise than by its certificates.
  case tls(String)
  /// The server's certificate, its chain or its host name.
  case tlsVerification(String)
  case timedOut(Phase)
  /// The connection ended before the response did.
  case connectionClosed
  case malformedResponse(String)
  /// A response whose head is beyond its limit.
  case tooLarge

  /// What an exchange was doing.
  package enum Phase: String, Sendable {
    case nameResolution = "name resolution"
    case connect = "connect"
    case tlsHandshake = "TLS handshake"
    case request = "sending the request"
    case response = "waiting for the response"
  }

  init(_ error: ResponseError) {
    self =
      switch error {
      case .malformed(let what): .malformedResponse(what)
      case .headTooLarge: .tooLarge
      case .incomplete: .connectionClosed
      }
  }

  package var description: String {
    switch self {
    case .trustStore(let reason): "certificates to trust: \(reason)"
    case .nameResolution(let reason): "name resolution: \(reason)"
    case .connect(let reason): "connect: \(reason)"
    case .tls(let reason): "TLS: \(reason)"
    case .tlsVerification(let reason): "TLS verification: \(reason)"
    case .timedOut(let phase): "timed out: \(phase.rawValue)"
    case .connectionClosed: "connection closed before the end of the response"
    case .malformedResponse(let what): "malformed response: \(what)"
    case .tooLarge: "response head too large"
    }
  }
}
