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

  /// - Returns: The user id.
  /// - Throws: `CallError.authenticationFailed`, and nothing else.
  package func user(of headers: HTTPHeaders) throws(CallError) -> String {
    guard let header = headers["Authorization"] else {
      throw .authenticationFailed(Self.missing)
    }
    let parts = header.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
    guard parts.count == 2, parts[0].lowercased() == "bearer" else {
      throw .authenticationFailed(Self.missing)
    }
    return try user(ofToken: parts[1].drop { $0 == " " })
  }

  /// - Throws: `CallError.authenticationFailed`, and nothing else.
  package func user(ofToken token: some StringProtocol) throws(CallError) -> String {
    let claims: JWTClaims
    do {
      claims = try keys.verifier.verify(String(token), now: Timestamp.now().seconds)
    } catch { throw .authenticationFailed(error.reason) }
    guard UserID.isValid(claims.subject) else {
      throw .authenticationFailed("The token's sub is not a user id.")
    }
    return claims.subject
  }
}
