// Whether a user may be disturbed (contract §11.2). `initiate_call` reads the same row, by the same clock.

import Calls
import MySQL
import System

package struct UserAvailability: Sendable, Equatable {
  package var doNotDisturb = false
  /// When `doNotDisturb` ends by itself; nil: not before the user says so.
  package var until: Timestamp?

  package init(doNotDisturb: Bool = false, until: Timestamp? = nil) {
    (self.doNotDisturb, self.until) = (doNotDisturb, until)
  }
}

package struct AvailabilityStore {
  private let database: Database

  package init(_ database: Database) { self.database = database }

  /// As it is now: what has ended is over.
  package func availability(of userId: String) throws -> UserAvailability {
    try database.read {
      try $0.first(Self.readSQL, [.text(userId)]) {
        UserAvailability(doNotDisturb: true, until: $0.time(0))
      }
    } ?? UserAvailability()
  }

  private static let readSQL = """
    SELECT until_at FROM user_availability WHERE user_id = ?
      AND do_not_disturb AND (until_at IS NULL OR until_at > UTC_TIMESTAMP(3))
    """

  /// It holds for every call that is initiated afterwards.
  package func set(_ availability: UserAvailability, of userId: String) throws {
    try database.read {
      try $0.execute(
        Self.writeSQL,
        [.text(userId), .bool(availability.doNotDisturb), .time(availability.until)])
    }
  }

  private static let writeSQL = """
    INSERT INTO user_availability (user_id, do_not_disturb, until_at) VALUES (?, ?, ?)
    ON DUPLICATE KEY UPDATE do_not_disturb = VALUES(do_not_disturb), until_at = VALUES(until_at)
    """
}
