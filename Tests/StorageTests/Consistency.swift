// What has to hold of all tables at any moment, whatever raced: each check is one statement, so that
// it sees one moment.

import MySQL
import Testing

enum Consistency {
  /// - Parameter keepsAllHistory: No entry has been deleted by its user.
  static func check(
    _ connection: MySQLConnection, keepsAllHistory: Bool = true,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    for (rule, sql) in keepsAllHistory ? rules + historyRules : rules {
      let breaches = try connection.query(sql + " LIMIT 5").map { row in
        row.values.indices.map { row.text($0) }.joined(separator: " ")
      }
      #expect(breaches == [], "\(rule)", sourceLocation: sourceLocation)
    }
  }

  private static let live = "('initiating', 'ringing', 'connecting', 'connected', 'disconnecting')"

  private static let rules = [
    (
      "a user's events are numbered from 1 without gaps",
      """
      SELECT l.user_id, l.last_event_id, e.n, e.low, e.high FROM user_lines l
      LEFT JOIN (SELECT user_id, COUNT(*) n, MIN(event_id) low, MAX(event_id) high
        FROM call_events GROUP BY user_id) e ON e.user_id = l.user_id
      WHERE l.last_event_id <> COALESCE(e.high, 0) OR e.n <> e.high OR e.low <> 1
      """
    ),
    (
      "a live call has both lines, and a busy line a live call of its user",
      """
      SELECT c.id, a.call_id, b.call_id FROM calls c
      LEFT JOIN user_lines a ON a.user_id = c.caller_id
      LEFT JOIN user_lines b ON b.user_id = c.callee_id
      WHERE c.status IN \(live) AND NOT (a.call_id <=> c.id AND b.call_id <=> c.id)
      UNION ALL
      SELECT l.user_id, l.call_id, c.status FROM user_lines l LEFT JOIN calls c ON c.id = l.call_id
      WHERE l.call_id IS NOT NULL AND (c.id IS NULL OR c.status NOT IN \(live)
        OR l.user_id NOT IN (c.caller_id, c.callee_id))
      """
    ),
    (
      "a call is over with an end, a reason and no deadline, or has a deadline and neither",
      """
      SELECT id, status, end_reason, ended_at, deadline_at FROM calls
      WHERE (status IN \(live)) <> (deadline_at IS NOT NULL)
        OR (status IN \(live)) <> (end_reason IS NULL) OR (status IN \(live)) <> (ended_at IS NULL)
      """
    ),
    (
      "a history's totals are its rows counted",
      """
      SELECT t.user_id FROM call_history_totals t
      WHERE t.audio_completed + t.audio_missed + t.audio_rejected + t.audio_failed
          + t.video_completed + t.video_missed + t.video_rejected + t.video_failed
          <> (SELECT COUNT(*) FROM call_history h WHERE h.user_id = t.user_id)
        OR \(pairs.map { "t.\($0)_\($1) <> (\(rows($0, $1)))" }.joined(separator: " OR "))
      UNION ALL
      SELECT user_id FROM call_history
      WHERE user_id NOT IN (SELECT user_id FROM call_history_totals)
      """
    ),
    (
      "contract 11.1: the badge is the unseen entries counted",
      """
      SELECT t.user_id, t.unseen_missed, COUNT(h.id) FROM call_history_totals t
      LEFT JOIN call_history h ON h.user_id = t.user_id AND h.direction = 'incoming'
        AND h.status = 'missed' AND h.looks = t.looks
      GROUP BY t.user_id, t.unseen_missed HAVING COUNT(h.id) <> t.unseen_missed
      """
    ),
    (
      "hours and days count the same",
      """
      SELECT user_id FROM call_statistics GROUP BY user_id
      HAVING SUM(IF(span = 'hour', 1, -1) * (\(sum))) <> 0
        OR SUM(IF(span = 'hour', 1, -1) * CAST(total_seconds AS SIGNED)) <> 0
        OR SUM(IF(span = 'hour', 1, -1) * CAST(completed_seconds AS SIGNED)) <> 0
      """
    ),
  ]

  private static let historyRules = [
    (
      "a call that is over is in both histories, a live one in none",
      """
      SELECT c.id, c.status, COUNT(h.id) FROM calls c LEFT JOIN call_history h ON h.call_id = c.id
        AND h.user_id IN (c.caller_id, c.callee_id)
      GROUP BY c.id, c.status HAVING COUNT(h.id) <> IF(c.status IN \(live), 0, 2)
      """
    ),
    (
      "statistics count what the histories show",
      """
      SELECT h.user_id, COUNT(*) FROM call_history h GROUP BY h.user_id
      HAVING COUNT(*) <> (SELECT SUM(\(sum)) FROM call_statistics s
        WHERE s.user_id = h.user_id AND s.span = 'day')
      """
    ),
  ]

  private static let pairs = ["audio", "video"].flatMap { type in
    ["completed", "missed", "rejected", "failed"].map { (type, $0) }
  }

  private static let sum = pairs.map { "CAST(\($0)_\($1) AS SIGNED)" }.joined(separator: " + ")

  private static func rows(_ type: String, _ status: String) -> String {
    """
    SELECT COUNT(*) FROM call_history h WHERE h.user_id = t.user_id AND h.call_type = '\(type)'
      AND h.status = '\(status)'
    """
  }
}
