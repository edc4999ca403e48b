// A user's login as a JWT shows it, and its end (contract §2, §10).

import System

package struct Login: Sendable, Equatable {
  package let userId: String
  /// From this moment on the JWT is refused: its `exp` and the verifier's leeway. nil for a login that
  /// never ends.
  package let endsAt: Timestamp?

  /// - Parameter endsAtSeconds: Since 1970. What lies after the year 9999, which no time on the wire can
  ///   say, counts as no end.
  package init(userId: String, endsAtSeconds: Int64?) {
    self.userId = userId
    endsAt = endsAtSeconds.flatMap {
      $0 <= Self.latestSeconds ? Timestamp(milliseconds: 1000 * $0) : nil
    }
  }

  package func hasEnded(at now: Timestamp) -> Bool { endsAt.map { $0 <= now } ?? false }

  /// 9999-12-31T23:59:59Z.
  private static let latestSeconds: Int64 = 253_402_300_799
}
