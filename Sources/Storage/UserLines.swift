// The lines of a call's participants, locked. Locking them in the order of their ids is the first
// thing that every transaction on a call does (design §2): no two calls can deadlock, and a user's
// events are numbered in the order in which they commit.

import Calls
import MySQL
import System

struct UserLines {
  private struct Line {
    let user: String
    var callId: String?
    var lastEventId: Int64
    var isChanged = false
  }

  private var lines: [Line]

  /// Makes the lines of users who have none yet; commits by itself.
  static func create(_ users: [String], _ database: Database) throws {
    // One statement each: inserts that hold one new row while they wait for another deadlock.
    for user in users {
      try database.read {
        // A line that was lost goes on where its events end.
        try $0.execute(
          """
          INSERT IGNORE INTO user_lines (user_id, last_event_id)
          SELECT ?, COALESCE(MAX(event_id), 0) FROM call_events WHERE user_id = ?
          """, [.text(user), .text(user)])
      }
    }
  }

  /// Locks two users' lines, waiting for whoever holds them.
  static func lock(_ connection: MySQLConnection, _ one: String, _ other: String) throws
    -> UserLines
  {
    UserLines(
      rows: try connection.query(
        """
        SELECT user_id, call_id, last_event_id FROM user_lines FORCE INDEX (PRIMARY)
        WHERE user_id IN (?, ?) ORDER BY user_id FOR UPDATE
        """, [.text(one), .text(other)]))
  }

  /// Locks two users' lines without waiting: what somebody else holds is left out.
  static func tryLock(_ connection: MySQLConnection, _ one: String, _ other: String) throws
    -> UserLines
  {
    UserLines(
      rows: try connection.query(
        """
        SELECT user_id, call_id, last_event_id FROM user_lines FORCE INDEX (PRIMARY)
        WHERE user_id IN (?, ?) ORDER BY user_id FOR UPDATE SKIP LOCKED
        """, [.text(one), .text(other)]))
  }

  private init(rows: [MySQLRow]) {
    lines = rows.map {
      Line(user: $0.text(0), callId: $0.optionalText(1), lastEventId: $0.int(2))
    }
  }

  private func place(of user: String) -> Int? {
    lines.firstIndex { UserID.areSame($0.user, user) }
  }

  func holds(_ user: String) -> Bool { place(of: user) != nil }

  /// The call that a user is busy with.
  func callId(of user: String) -> String? { place(of: user).flatMap { lines[$0].callId } }

  /// The number of the user's next event.
  mutating func nextEventId(for user: String) -> Int64 {
    guard let place = place(of: user) else { return 0 }
    lines[place].lastEventId += 1
    lines[place].isChanged = true
    return lines[place].lastEventId
  }

  /// The user is free again, if it is this call that kept them busy.
  mutating func release(_ user: String, from callId: String) {
    guard let place = place(of: user), lines[place].callId == callId else { return }
    lines[place].callId = nil
    lines[place].isChanged = true
  }

  /// Writes what has changed.
  func save(_ connection: MySQLConnection) throws {
    for line in lines where line.isChanged {
      try connection.execute(
        "UPDATE user_lines SET call_id = ?, last_event_id = ? WHERE user_id = ?",
        [.text(line.callId), .int(line.lastEventId), .text(line.user)])
    }
  }
}
