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
  private static let acquaintanceSQL = """
    SELECT u.id, u.full_name, u.username, u.avatar_url,
      EXISTS (SELECT 1 FROM contacts WHERE user_id = ? AND contact_user_id = ?
        AND UPPER(status) = 'ACCEPTED'),
      EXISTS (SELECT 1 FROM contacts WHERE user_id = ? AND contact_user_id = ?
        AND UPPER(status) = 'BLOCKED'), UTC_TIMESTAMP(3)
    FROM users u WHERE u.id = ?
    UNION ALL
    SELECT u.id, u.full_name, u.username, u.avatar_url, 0,
      EXISTS (SELECT 1 FROM contacts WHERE user_id = ? AND contact_user_id = ?
        AND UPPER(status) = 'BLOCKED'), UTC_TIMESTAMP(3)
    FROM users u WHERE u.id = ?
    """

  static func acquaintance(_ connection: MySQLConnection, caller: String, callee: String) throws
    -> Acquaintance
  {
    let pair: [MySQLValue] = [.text(caller), .text(callee)]
    var (foundCaller, foundCallee): (Party?, Party?)
    var (isContact, isBlocked) = (false, false)
    var now: Timestamp?
    try connection.read(
      acquaintanceSQL, pair + pair + [.text(caller), .text(callee), .text(caller), .text(callee)]
    ) { row in
      foundCaller = foundCaller ?? Party(id: caller, row: row, at: 0)
      foundCallee = foundCallee ?? Party(id: callee, row: row, at: 0)
      isContact = isContact || row.int(4) != 0
      isBlocked = isBlocked || row.int(5) != 0
      now = now ?? row.time(6)
    }
    return Acquaintance(
      caller: foundCaller, callee: foundCallee, isContact: isContact, isBlocked: isBlocked,
      now: now ?? .now())
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
    var parties: [UserKey: Party] = [:]
    try connection.read(
      """
      SELECT id, full_name, username, avatar_url FROM users
      WHERE id IN (\(Array(repeating: "?", count: places).joined(separator: ", ")))
      """, filled.map { .text($0.id) }
    ) { row in
      let key = UserKey(row.text(0))
      if ids.contains(key) { parties[key] = Party(id: key.id, row: row, at: 0) }
    }
    return parties
  }
}

extension Party {
  /// The columns of `users` that `init(id:row:at:)` reads, in its order, of a table of that name.
  static func columns(_ name: String) -> String {
    "\(name).id, \(name).full_name, \(name).username, \(name).avatar_url"
  }

  /// nil where the row is another user's, or none's. The user name stands in for a full name that is NULL
  /// or empty: here, because MariaDB 10.11 dies of COALESCE(NULLIF(full_name, ''), username) where `users`
  /// is a view over another character set.
  /// - Parameter place: Of the id.
  init?(id: String, row: borrowing MySQLRow, at place: Int) {
    guard let found = row.optionalText(place), UserID.areSame(found, id) else { return nil }
    let fullName = row.optionalText(place + 1).flatMap { $0.isEmpty ? nil : $0 }
    self.init(
      id: id, name: fullName ?? row.optionalText(place + 2), avatar: row.optionalText(place + 3))
  }
}
