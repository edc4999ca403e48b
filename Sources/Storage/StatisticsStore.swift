// Counts of a user's calls over a period (R15), exact to the second at its edge and at a cost that
// does not depend on how many calls there were: whole days and hours come from `call_statistics`,
// which every ending keeps, and only the hour at the edge is counted call by call.

import Calls
import MySQL
import System

package enum StatisticsPeriod: String, Sendable, CaseIterable {
  case day, week, month, year

  /// The last 24 hours, 7, 30 or 365 days.
  package var days: Int {
    switch self {
    case .day: 1
    case .week: 7
    case .month: 30
    case .year: 365
    }
  }
}

package struct CallStatistics: Sendable, Equatable {
  package var counts: [CallType: [HistoryStatus: Int]] = [:]
  package var totalSeconds = 0
  package var completedSeconds = 0

  package init() {}

  package var totalCalls: Int { CallType.allCases.reduce(0) { $0 + count($1) } }

  package func count(_ type: CallType) -> Int { counts[type, default: [:]].values.reduce(0, +) }

  package func count(_ status: HistoryStatus) -> Int {
    counts.values.reduce(0) { $0 + $1[status, default: 0] }
  }

  package var totalMinutes: Double { Double(totalSeconds) / 60 }

  /// Over completed calls; 0 where there were none.
  package var averageMinutes: Double {
    let completed = count(HistoryStatus.completed)
    return completed == 0 ? 0 : Double(completedSeconds) / 60 / Double(completed)
  }

  mutating func add(_ type: CallType, _ status: HistoryStatus, calls: Int, seconds: Int) {
    counts[type, default: [:]][status, default: 0] += calls
    totalSeconds += seconds
    if status == .completed { completedSeconds += seconds }
  }
}

package struct StatisticsStore {
  private let database: Database

  package init(_ database: Database) { self.database = database }

  package func statistics(of userId: String, over period: StatisticsPeriod) throws
    -> (statistics: CallStatistics, from: Timestamp, to: Timestamp)
  {
    try database.read { connection in
      let now = try connection.queryRow("SELECT UTC_TIMESTAMP(3)")?.time(0) ?? .now()
      let from = now.adding(seconds: -Int64(period.days) * 86_400)
      let edge = try Edge(connection, userId, from: from)
      var statistics = try wholeSpans(connection, userId, from: from, edge)
      if let hourEnd = edge.hourEnd {
        try countCalls(connection, userId, from: from, to: hourEnd, into: &statistics)
      }
      return (statistics, from, now)
    }
  }

  /// The ends of the day and of the hour that the period begins in the middle of, where anything
  /// happened in them.
  private struct Edge {
    let dayEnd: Timestamp?
    let hourEnd: Timestamp?

    init(_ connection: MySQLConnection, _ userId: String, from: Timestamp) throws {
      func end(_ span: String, seconds: Int64) throws -> Timestamp? {
        try connection.queryRow(
          """
          SELECT MAX(starts_at) FROM call_statistics
          WHERE user_id = ? AND span = ? AND starts_at < ? AND starts_at > ?
          """,
          [.text(userId), .text(span), .time(from), .time(from.adding(seconds: -seconds))])?
          .time(0)?.adding(seconds: seconds)
      }
      dayEnd = try end("day", seconds: 86_400)
      hourEnd = try end("hour", seconds: 3600)
    }
  }

  private static let pairs = CallType.allCases.flatMap { type in
    HistoryStatus.allCases.map { (type: type, status: $0) }
  }
  private static let columns = pairs.map { column($0.type, $0.status) }

  private static func column(_ type: CallType, _ status: HistoryStatus) -> String {
    "\(type.rawValue)_\(status.rawValue)"
  }

  /// Whole days, and whole hours of the day at the edge.
  private func wholeSpans(
    _ connection: MySQLConnection, _ userId: String, from: Timestamp, _ edge: Edge
  ) throws -> CallStatistics {
    let sums = (Self.columns + ["total_seconds", "completed_seconds"]).map { "SUM(\($0))" }
    let row = try connection.queryRow(
      """
      SELECT \(sums.joined(separator: ", ")) FROM call_statistics WHERE user_id = ?
        AND ((span = 'day' AND starts_at >= ?)
          OR (span = 'hour' AND starts_at >= ? AND starts_at < ?))
      """,
      [.text(userId), .time(from), .time(from), .time(edge.dayEnd ?? from)])
    var statistics = CallStatistics()
    guard let row else { return statistics }
    for (index, pair) in Self.pairs.enumerated() {
      statistics.add(pair.type, pair.status, calls: Int(row.int(index)), seconds: 0)
    }
    statistics.totalSeconds = Int(row.int(Self.pairs.count))
    statistics.completedSeconds = Int(row.int(Self.pairs.count + 1))
    return statistics
  }

  /// The part of the hour at the edge that lies within the period.
  private func countCalls(
    _ connection: MySQLConnection, _ userId: String, from: Timestamp, to end: Timestamp,
    into statistics: inout CallStatistics
  ) throws {
    for side in ["caller_id", "callee_id"] {
      let rows = try connection.query(
        """
        SELECT call_type, status, end_reason, accepted_at IS NOT NULL AS accepted, COUNT(*),
          SUM(duration_seconds)
        FROM calls WHERE \(side) = ? AND created_at >= ? AND created_at < ?
          AND deadline_at IS NULL
        GROUP BY call_type, status, end_reason, accepted
        """, [.text(userId), .time(from), .time(end)])
      for row in rows {
        guard let type = CallType(rawValue: row.text(0)),
          let status = CallStatus(rawValue: row.text(1))
        else { throw StorageError.corruptRow(table: "calls", id: userId) }
        let history = HistoryStatus(
          status: status, endReason: row.optionalText(2).flatMap(EndReason.init(rawValue:)),
          wasAccepted: row.int(3) != 0, isCaller: side == "caller_id")
        statistics.add(type, history, calls: Int(row.int(4)), seconds: Int(row.int(5)))
      }
    }
  }

  /// Counts a call that is over, in the hour and the day in which it was made.
  static func count(
    _ connection: MySQLConnection, _ call: Call, user: String, status: HistoryStatus
  ) throws {
    let name = column(call.type, status)
    let seconds = call.durationSeconds
    let completed = status == .completed ? seconds : 0
    func values(_ span: String, _ lengthSeconds: Int64) -> [MySQLValue] {
      let start = call.createdAt.seconds / lengthSeconds * lengthSeconds
      return [
        .text(user), .text(span), .time(Timestamp(milliseconds: start * 1000)), .int(seconds),
        .int(completed),
      ]
    }
    try connection.execute(
      """
      INSERT INTO call_statistics
        (user_id, span, starts_at, \(name), total_seconds, completed_seconds)
      VALUES (?, ?, ?, 1, ?, ?), (?, ?, ?, 1, ?, ?)
      ON DUPLICATE KEY UPDATE \(name) = \(name) + 1,
        total_seconds = total_seconds + VALUES(total_seconds),
        completed_seconds = completed_seconds + VALUES(completed_seconds)
      """, values("hour", 3600) + values("day", 86_400))
  }
}
