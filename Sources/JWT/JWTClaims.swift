// The claims (RFC 7519 §4.1) of a token whose signature is good.

import JSON

package struct JWTClaims: Equatable, Sendable {
  /// In characters (contract §7.10).
  package static let maximumSubjectLength = 64

  /// The user id: `sub` as it is, or as its decimal digits where it is an integer.
  package let subject: String
  /// Seconds since 1970, fractions cut off.
  package let expiresAt: Int64

  package init(subject: String, expiresAt: Int64) {
    self.subject = subject
    self.expiresAt = expiresAt
  }
}

/// What a claims set must say.
struct ClaimsPolicy: Sendable {
  let issuer: String?
  let audience: String?
  let leewaySeconds: Int

  /// - Parameter now: seconds since 1970.
  /// - Throws: the first of `JWTError`'s cases for claims that applies.
  func check(_ claims: JSONValue, now: Int64) throws(JWTError) -> JWTClaims {
    let subject = try subject(of: claims)
    guard let expiry = claims["exp"]?.doubleValue else { throw .invalidClaims }
    // As doubles, since NumericDate (§2) may have a fraction, and huge ones cannot overflow.
    guard Double(now) < expiry + Double(leewaySeconds) else { throw .expired }
    if let notBefore = claims["nbf"] {
      guard let notBefore = notBefore.doubleValue else { throw .invalidClaims }
      guard Double(now) + Double(leewaySeconds) >= notBefore else { throw .notYetValid }
    }
    if let issuer, claims["iss"] != .string(issuer) { throw .wrongIssuer }
    if let audience, !Self.names(claims["aud"], audience) { throw .wrongAudience }
    return JWTClaims(
      subject: subject, expiresAt: expiry < Double(Int64.max) ? Int64(expiry) : .max)
  }

  private func subject(of claims: JSONValue) throws(JWTError) -> String {
    guard let subject = claims["sub"]?.textOrDigits,
      (1...JWTClaims.maximumSubjectLength).contains(subject.unicodeScalars.count)
    else { throw .invalidClaims }
    return subject
  }

  /// `aud` is one text or a list of them (§4.1.3).
  private static func names(_ claim: JSONValue?, _ audience: String) -> Bool {
    switch claim {
    case .string(let text): text == audience
    case .array(let elements): elements.contains(.string(audience))
    default: false
    }
  }
}
