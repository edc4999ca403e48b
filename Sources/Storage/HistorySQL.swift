// The statement of a history page, which says in each row how many entries there are in all and who the other
// participant is, so that one round trip does for all. Without a filter the walk index gives the rows in order. With
// one, each wanted pair of status and type is a range of its own index, already in order, so a page
// reads at most `offset + limit` rows of each, however rare they are among the user's calls.

import Calls
import MySQL
import System

enum HistorySQL {
  private static let columns = [
    "id", "call_id", "remote_user_id", "call_type", "status", "direction", "end_reason",
    "`timestamp`", "duration_seconds",
  ]

  /// All entries that fit the filters, from the counters that each ending keeps; no row for a user who
  /// has never had a call.
  static func total(_ query: HistoryQuery) -> String {
    let types = query.callType.map { [$0] } ?? CallType.allCases
    let statuses = query.status.map { [$0] } ?? HistoryStatus.allCases
    let columns = types.flatMap { type in statuses.map { "\(type.rawValue)_\($0.rawValue)" } }
    return "SELECT \(columns.joined(separator: " + ")) FROM call_history_totals WHERE user_id = ?"
  }

  /// Rows to pass over from which on the page is found in the index alone, which costs a temporary
  /// table, and only then its rows are read.
  private static let farOffset = 1000

  /// One row more than the page, which says whether there are more; the columns of `HistoryRow`.
  static func select(_ query: HistoryQuery, _ users: UsersKey) -> String {
    select(query, isFar: query.offset > farOffset, users)
  }

  static func shape(_ query: HistoryQuery) -> StatementShape {
    .history(
      isAfter: query.isAfter, isFar: query.offset > farOffset, query.callType, query.status)
  }

  static func select(_ query: HistoryQuery, isFar: Bool, _ users: UsersKey) -> String {
    let columns = columns.map { "h.\($0)" }.joined(separator: ", ")
    let head = "SELECT \(columns), (\(total(query))), \(Party.columns("u"))"
    let order = "ORDER BY h.`timestamp` DESC, h.id DESC"
    let join = users.join("u", on: "h.remote_user_id")
    if isFar {
      return """
        \(head) FROM (\(page(query, "h.id, h.`timestamp`"))) found
        JOIN call_history h ON h.id = found.id \(join) \(order)
        """
    }
    // Where an id may have several rows, the page is limited before they are joined.
    if query.pairs.isEmpty, users.isUnique { return page(query, "", replacing: head, join) }
    return "\(head) FROM (\(page(query, columns))) h \(join) \(order)"
  }

  /// - Parameters:
  ///   - head: The statement up to its FROM, in place of one for the columns.
  ///   - join: After the FROM, of a page without filters.
  private static func page(
    _ query: HistoryQuery, _ columns: String, replacing head: String? = nil, _ join: String = ""
  ) -> String {
    let after =
      query.isAfter ? "AND (h.`timestamp` < ? OR (h.`timestamp` = ? AND h.id < ?))" : ""
    // A bound of its own, because MariaDB does not take a range from the OR.
    let bound = query.isAfter ? "AND h.`timestamp` <= ?" : ""
    let order = "ORDER BY h.`timestamp` DESC, h.id DESC LIMIT ?"
    let pairs = query.pairs
    if pairs.isEmpty {
      return """
        \(head ?? "SELECT \(columns)") FROM call_history h FORCE INDEX (call_history_walk) \(join)
        WHERE h.user_id = ? \(bound) \(after) \(order) OFFSET ?
        """
    }
    let branch = """
      (SELECT \(columns) FROM call_history h FORCE INDEX (call_history_filtered)
       WHERE h.user_id = ? AND h.status = ? AND h.call_type = ? \(bound) \(after) \(order))
      """
    let union = pairs.map { _ in branch }.joined(separator: " UNION ALL ")
    return "SELECT * FROM (\(union)) h \(order) OFFSET ?"
  }

  static func values(_ userId: String, _ query: HistoryQuery) -> [MySQLValue] {
    let wanted = query.limit + 1
    var cursor: [MySQLValue] = []
    if case .after(let place) = query.position {
      let time = MySQLValue.time(place.timestamp)
      cursor = [time, time, time, .int(place.id)]
    }
    let pairs = query.pairs
    let slice: [MySQLValue] = [.int(wanted), .int(query.offset)]
    if pairs.isEmpty { return [.text(userId), .text(userId)] + cursor + slice }
    let branches = pairs.flatMap { pair -> [MySQLValue] in
      [.text(userId), .text(pair.status.rawValue), .text(pair.type.rawValue)] + cursor
        + [.int(query.offset + wanted)]
    }
    return [.text(userId)] + branches + slice
  }
}

extension HistoryQuery {
  fileprivate var isAfter: Bool { if case .after = position { true } else { false } }

  fileprivate var offset: Int {
    if case .page(let page) = position { (page - 1) * limit } else { 0 }
  }

  /// The pairs that the filters let through; empty where there is no filter.
  fileprivate var pairs: [(status: HistoryStatus, type: CallType)] {
    if callType == nil, status == nil { return [] }
    let statuses = status.map { [$0] } ?? HistoryStatus.allCases
    let types = callType.map { [$0] } ?? CallType.allCases
    return statuses.flatMap { status in types.map { (status, $0) } }
  }
}
