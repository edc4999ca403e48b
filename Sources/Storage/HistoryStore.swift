// A user's call history (R6): pages at a cost that does not depend on its length.

import Calls
import MySQL
import System

/// Where a walk through a history goes on: after this entry, newest first.
package struct HistoryCursor: Sendable, Equatable {
  package let timestamp: Timestamp
  package let id: Int64

  package init(timestamp: Timestamp, id: Int64) { (self.timestamp, self.id) = (timestamp, id) }
}

package struct HistoryQuery: Sendable {
  package enum Position: Sendable, Equatable {
    /// 1 or more.
    case page(Int)
    case after(HistoryCursor)
  }

  package var position: Position = .page(1)
  /// 1…100.
  package var limit = 20
  /// nil for all.
  package var callType: CallType?
  package var status: HistoryStatus?

  package init() {}
}

/// What is known of a page when its entries have been read.
package struct HistoryPage: Sendable {
  /// All entries that fit the filters, from the counters that each ending keeps.
  package var total = 0
  /// There are entries after these.
  package var hasMore = false
  /// The last entry of the page.
  package var last: HistoryCursor?
}

package struct HistoryStore {
  private let database: Database
  private let hints: Hints

  package init(_ database: Database, hints: Hints) {
    (self.database, self.hints) = (database, hints)
  }

  /// Hands each entry of the page, in its order, to `entry`; its columns are `HistoryColumn`'s.
  ///
  /// `entry` is called from the first entry on again where the connection broke in the middle; `begin` is
  /// called before.
  package func page(
    of userId: String, _ query: HistoryQuery, begin: () -> Void = {},
    entry: (borrowing MySQLRow) throws -> Void
  ) throws -> HistoryPage {
    try database.read { connection in
      begin()
      var page = HistoryPage()
      var count = 0
      let sql = try database.text(of: HistorySQL.shape(query), connection) {
        HistorySQL.select(query, $0)
      }
      try connection.read(sql, HistorySQL.values(userId, query)) { row in
        // A view of users may have several rows of one id; the first one counts.
        if row.int(HistoryColumn.id.rawValue) == page.last?.id { return }
        count += 1
        page.total = Int(row.int(HistoryColumn.total.rawValue))
        page.hasMore = count > query.limit
        guard !page.hasMore else { return }
        page.last = try HistoryCursor(row: row)
        try entry(row)
      }
      // Every row has the total, but a page may have none.
      if count == 0 {
        page.total =
          try connection.first(HistorySQL.total(query), [.text(userId)]) { Int($0.int(0)) } ?? 0
      }
      return page
    }
  }

  /// Takes an entry out of a user's own history; the statistics keep what happened.
  /// - Throws: `CallError.notFound` where the user has no such entry.
  package func delete(_ callId: String, of userId: String) throws {
    guard CallID.isWellFormed(callId) else { throw CallError.notFound(.call) }
    let isDeleted = try database.change {
      try $0.perform(Routine.deleteHistory, [.text(userId), .text(callId.lowercased())]) {
        $0.int(0) != 0
      }
    }
    guard isDeleted == true else { throw CallError.notFound(.call) }
  }

  /// Missed incoming calls since the user last looked (contract §11.1).
  package func unseenMissed(of userId: String) throws -> Int {
    try database.read {
      try $0.first(Self.unseenSQL, [.text(userId)]) { Int($0.int(0)) } ?? 0
    }
  }

  private static let unseenSQL = "SELECT unseen_missed FROM call_history_totals WHERE user_id = ?"

  /// Notes that the user has looked at the missed calls, and tells the user's other sockets.
  /// - Parameter origin: The device and the connection that are spared the event.
  package func see(by userId: String, from origin: Origin) throws {
    let hadUnseen = try database.change {
      try $0.perform(
        Routine.seeHistory,
        [
          .text(userId), .text(HistorySeen.type),
          .text(String(decoding: HistorySeen.data, as: UTF8.self)), .text(origin.device),
          .text(origin.connection),
        ]
      ) { $0.int(0) != 0 }
    }
    if hadUnseen == true { hints.publish(to: [UserKey(userId)]) }
  }
}

/// The columns of a history's entry, words as the wire has them.
package enum HistoryColumn: Int {
  case id, callId, remoteUserId, callType, status, direction, endReason, timestamp, durationSeconds
  case total
  /// Of the other participant's row in `users`, if there is one.
  case partyId, fullName, username, avatar

  /// Where a row has the other participant's name; nil where that is no user any more.
  package static func name(in row: borrowing MySQLRow) -> HistoryColumn? {
    guard isParty(in: row) else { return nil }
    let isEmpty = row.withUTF8(fullName.rawValue) { $0.isEmpty } ?? true
    return isEmpty ? .username : .fullName
  }

  /// Where a row has the other participant's avatar.
  package static func avatar(in row: borrowing MySQLRow) -> HistoryColumn? {
    isParty(in: row) ? .avatar : nil
  }

  /// Whether the user that was found is the very one: `users` may compare by a collation of its own.
  private static func isParty(in row: borrowing MySQLRow) -> Bool {
    row.haveSameText(partyId.rawValue, remoteUserId.rawValue)
  }
}

extension HistoryCursor {
  fileprivate init(row: borrowing MySQLRow) throws {
    let id = row.int(HistoryColumn.id.rawValue)
    guard let timestamp = row.time(HistoryColumn.timestamp.rawValue) else {
      throw StorageError.corruptRow(table: "call_history", id: String(id))
    }
    self.init(timestamp: timestamp, id: id)
  }
}
