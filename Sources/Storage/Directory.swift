// The installation's users and contacts, which are only read: they may be views over another
// application's tables, with numeric ids and a collation of their own. So a row counts only if its
// id, as text, is exactly the one that was asked for.

import Calls
import MySQL
import System

/// What `initiate` has to know of two people (R1.1).
struct Acquaintance {
  let caller: Party?
  let callee: Party?
  /// The callee is an accepted contact of the caller.
  let isContact: Bool
  /// Either has blocked the other.
  let isBlocked: Bool
  /// The server's clock.
  let now: Timestamp
}

enum Directory {
  /// Everything that `initiate` needs to know, in one statement.
  static func acquaintance(_ connection: MySQLConnection, caller: String, callee: String) throws
    -> Acquaintance
  {
    let pair: [MySQLValue] = [.text(caller), .text(callee)]
    let rows = try connection.query(
      """
      SELECT p.id, p.full_name, p.username, p.avatar_url, p.accepted, p.blocked, UTC_TIMESTAMP(3)
      FROM (
        SELECT u.id, u.full_name, u.username, u.avatar_url,
          EXISTS (SELECT 1 FROM contacts WHERE user_id = ? AND contact_user_id = ?
            AND UPPER(status) = 'ACCEPTED') AS accepted,
          EXISTS (SELECT 1 FROM contacts WHERE user_id = ? AND contact_user_id = ?
            AND UPPER(status) = 'BLOCKED') AS blocked
        FROM users u WHERE u.id = ?
        UNION ALL
        SELECT u.id, u.full_name, u.username, u.avatar_url, 0,
          EXISTS (SELECT 1 FROM contacts WHERE user_id = ? AND contact_user_id = ?
            AND UPPER(status) = 'BLOCKED')
        FROM users u WHERE u.id = ?
      ) p
      """, pair + pair + [.text(caller), .text(callee), .text(caller), .text(callee)])
    func party(_ id: String) -> Party? {
      rows.first { UserID.areSame($0.text(0), id) }.map { Party(id: id, row: $0) }
    }
    return Acquaintance(
      caller: party(caller), callee: party(callee),
      isContact: rows.contains { $0.int(4) != 0 }, isBlocked: rows.contains { $0.int(5) != 0 },
      now: rows.first?.time(6) ?? .now())
  }

  /// Names and avatars of users; those who do not exist (any more) are left out.
  /// - Parameter ids: At most 100 different ones.
  static func parties(_ connection: MySQLConnection, _ ids: Set<UserKey>) throws
    -> [UserKey: Party]
  {
    guard let first = ids.first else { return [:] }
    // A few lengths only, the rest of the places filled with the first id, so that few statements
    // are prepared.
    let places = [2, 10, 20, 50, 100].first { $0 >= ids.count } ?? ids.count
    let filled = ids + Array(repeating: first, count: places - ids.count)
    let rows = try connection.query(
      """
      SELECT id, full_name, username, avatar_url FROM users
      WHERE id IN (\(Array(repeating: "?", count: places).joined(separator: ", ")))
      """, filled.map { .text($0.id) })
    var parties: [UserKey: Party] = [:]
    for row in rows {
      let key = UserKey(row.text(0))
      guard ids.contains(key) else { continue }
      parties[key] = Party(id: key.id, row: row)
    }
    return parties
  }
}

extension Party {
  /// From a row of id, full name, user name and avatar. The user name stands in for a full name that is
  /// NULL or empty: here, because MariaDB 10.11 dies of COALESCE(NULLIF(full_name, ''), username) where
  /// `users` is a view over another character set.
  fileprivate init(id: String, row: MySQLRow) {
    let fullName = row.optionalText(1).flatMap { $0.isEmpty ? nil : $0 }
    self.init(id: id, name: fullName ?? row.optionalText(2), avatar: row.optionalText(3))
  }
}
