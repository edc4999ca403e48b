// Who asks: the JWT of `Authorization: Bearer` (R9, contract §2).

import Calls
import Configuration
import HTTP
import JWT
import System

package struct Authenticator: Sendable {
  static let missing = "A bearer token is required."

  private let keys: KeyRing

  package init(_ keys: KeyRing) { self.keys = keys }

  /// - Throws: `CallError.authenticationFailed`, and nothing else.
  package func login(of headers: HTTPHeaders) throws(CallError) -> Login {
    guard let header = headers["Authorization"] else {
      throw .authenticationFailed(Self.missing)
    }
    let parts = header.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
    guard parts.count == 2, parts[0].lowercased() == "bearer" else {
      throw .authenticationFailed(Self.missing)
    }
    return try login(ofToken: parts[1].drop { $0 == " " })
  }

  /// - Throws: `CallError.authenticationFailed`, and nothing else.
  package func login(ofToken token: some StringProtocol) throws(CallError) -> Login {
    let verifier = keys.verifier
    let claims: JWTClaims
    do {
      claims = try verifier.verify(String(token), now: Timestamp.now().seconds)
    } catch { throw .authenticationFailed(error.reason) }
    guard UserID.isValid(claims.subject) else {
      throw .authenticationFailed("The token's sub is not a user id.")
    }
    let (end, isBeyond) = claims.expiresAt.addingReportingOverflow(Int64(verifier.leewaySeconds))
    return Login(userId: claims.subject, endsAtSeconds: isBeyond ? nil : end)
  }
}
