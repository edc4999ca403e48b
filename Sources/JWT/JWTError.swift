// Why a token is refused (R9.5).

package enum JWTError: Error, Equatable, Sendable {
  case tooLong
  case malformed
  case algorithmNotAllowed
  case criticalHeader
  case unknownKey
  case badSignature
  case invalidClaims
  case expired
  case notYetValid
  case wrongIssuer
  case wrongAudience

  /// For people, and fit for `error_description` in `WWW-Authenticate` (RFC 6750 §3): it holds
  /// nothing of the token, no quotation mark and no backslash.
  package var reason: String {
    switch self {
    case .tooLong: "The token is too long"
    case .malformed: "The token is malformed"
    case .algorithmNotAllowed: "The signature algorithm is not allowed"
    case .criticalHeader: "The token demands an extension that is not supported"
    case .unknownKey: "No key is known for the token"
    case .badSignature: "The signature is wrong"
    case .invalidClaims: "A required claim is missing or of the wrong type"
    case .expired: "The token has expired"
    case .notYetValid: "The token is not valid yet"
    case .wrongIssuer: "The issuer is not accepted"
    case .wrongAudience: "The audience is not accepted"
    }
  }
}
