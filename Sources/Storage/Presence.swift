// Who was last seen when: the sidecar refreshes users who are connected during a call, and a call
// whose participants have both gone is found by it (design §3).

import Calls
import MySQL

package struct Presence {
  private let database: Database

  package init(_ database: Database) { self.database = database }

  /// Notes that these users have a connection now, if they are in a call.
  ///
  /// Asks first and writes one line at a time, so that it never holds a lock while it waits for
  /// another.
  package func touch(_ users: [String]) throws {
    for start in stride(from: 0, to: users.count, by: 100) {
      let batch = Array(users[start..<min(start + 100, users.count)])
      let filled = batch + Array(repeating: batch[0], count: 100 - batch.count)
      try database.read { connection in
        let busy = try connection.query(
          """
          SELECT user_id FROM user_lines WHERE call_id IS NOT NULL
            AND user_id IN (\(Array(repeating: "?", count: 100).joined(separator: ", ")))
          """, filled.map { .text($0) })
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
