// Who was last seen when: the sidecar refreshes users who are connected during a call, and a call
// whose participants have both gone is found by it (design §3).

import Calls
import MySQL

package struct Presence {
  private let database: Database

  package init(_ database: Database) { self.database = database }

  /// Notes that these users have a connection now, if they are in a call.
  ///
  /// Passes over a line that somebody holds: it is noted the next time, and one that is held for long
  /// (by a host that has died, say) must not keep the others' calls from being known to be alive.
  package func touch(_ users: [String]) throws {
    for start in stride(from: 0, to: users.count, by: 100) {
      let batch = Array(users[start..<min(start + 100, users.count)])
      let filled = batch + Array(repeating: batch[0], count: 100 - batch.count)
      try database.transaction { connection in
        let busy = try connection.query(
          """
          SELECT user_id FROM user_lines FORCE INDEX (PRIMARY) WHERE call_id IS NOT NULL
            AND user_id IN (\(Array(repeating: "?", count: 100).joined(separator: ", ")))
          FOR UPDATE SKIP LOCKED
          """, filled.map { .text($0) })
        // One at a time, because a statement about several may come by lines that somebody holds.
        for row in busy {
          try connection.execute(
            """
            UPDATE user_lines SET seen_at = UTC_TIMESTAMP(3)
            WHERE user_id = ? AND call_id IS NOT NULL
            """, [.text(row.text(0))])
        }
      }
    }
  }
}
