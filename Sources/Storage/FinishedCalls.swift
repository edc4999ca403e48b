// The calls that ended in a period, oldest end first, however many they are: of each terminal status a walk
// over the index of status and end, the four of them merged. A page is a statement of its own, so that no
// result and no transaction stays open in the server while the reader takes its time.

import Calls
import MySQL
import System

package struct FinishedCalls {
  private let database: Database
  private let pageRows: Int

  /// Seconds until the end of a call is written for sure: one whose connections broke ended when its
  /// participants were last seen (contract §7.17), which the sweeper acts on 90 s later.
  private static let settlingSeconds: Int64 = 120

  /// - Parameter pageRows: How many calls of each status are held in memory.
  package init(_ database: Database, pageRows: Int = 1000) {
    (self.database, self.pageRows) = (database, pageRows)
  }

  /// Hands every call with `from ≤ endedAt < to` to `body`, in the order of their ends and ids.
  /// - Throws: `MySQLError`, `StorageError`, and what `body` throws.
  package func forEach(from: Timestamp, to: Timestamp, _ body: (Call) throws -> Void) throws {
    var walks = CallStatus.allCases.filter(\.isTerminal).map {
      Walk(status: $0, from: from, to: to)
    }
    while true {
      var next: Int?
      for index in walks.indices {
        try walks[index].fill(database, rows: pageRows)
        guard let call = walks[index].first else { continue }
        if next.flatMap({ walks[$0].first }).map({ Self.precedes(call, $0) }) ?? true {
          next = index
        }
      }
      guard let next, let call = walks[next].first else { return }
      try body(call)
      walks[next].advance()
    }
  }

  private static func precedes(_ one: Call, _ other: Call) -> Bool {
    guard let end = one.endedAt, let otherEnd = other.endedAt else { return false }
    return end != otherEnd ? end < otherEnd : one.id < other.id
  }

  /// Whether calls may still be written whose end lies before a time: it has not come or has just passed, or
  /// a call that was due by then has not been ended yet.
  /// - Throws: `MySQLError`.
  package func mayGrow(before time: Timestamp) throws -> Bool {
    try database.read { connection in
      try connection.first(
        "SELECT UTC_TIMESTAMP(3), EXISTS (SELECT 1 FROM calls WHERE deadline_at < ?)",
        [.time(time)]
      ) { row in
        row.int(1) != 0
          || time > (row.time(0) ?? .now()).adding(seconds: -Self.settlingSeconds)
      } ?? true
    }
  }

  /// A page of one status. Its places: the end of the last call before it, the end of the period, the end of
  /// that call again, its id, and how many rows.
  static func statement(of status: CallStatus) -> String {
    """
    SELECT \(Call.columns) FROM calls c FORCE INDEX (calls_status)
    WHERE c.status = '\(status.rawValue)' AND c.ended_at >= ? AND c.ended_at < ?
      AND (c.ended_at > ? OR c.id > ?)
    ORDER BY c.ended_at, c.id LIMIT ?
    """
  }
}

/// The calls of one status, page by page.
private struct Walk {
  private let statement: String
  private let to: Timestamp
  /// The last call that has been read, or where the period begins.
  private var endedAt: Timestamp
  private var id: String
  private var page: [Call] = []
  private var position = 0
  private var isAtEnd = false

  init(status: CallStatus, from: Timestamp, to: Timestamp) {
    statement = FinishedCalls.statement(of: status)
    self.to = to
    (endedAt, id) = (from, "")
  }

  var first: Call? { position < page.count ? page[position] : nil }

  mutating func advance() { position += 1 }

  /// Reads the next page where the last one has been used up.
  mutating func fill(_ database: Database, rows: Int) throws {
    guard position == page.count, !isAtEnd else { return }
    page = try database.read {
      try $0.map(
        statement,
        [.time(endedAt), .time(to), .time(endedAt), .text(id), .int(Int64(rows))]
      ) { try Call(row: $0) }
    }
    position = 0
    isAtEnd = page.count < rows
    if let last = page.last, let end = last.endedAt { (endedAt, id) = (end, last.id) }
  }
}
