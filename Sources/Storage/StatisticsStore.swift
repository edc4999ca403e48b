// Counts of a user's calls over a period (R15), exact to the second at its edge and at a cost that
// does not depend on how many calls there were: whole days and hours come from `call_statistics`,
// which every ending keeps, and only the hour at the edge is counted call by call. Each hour says
// which day it is part of and each call which hour, so that nothing is counted twice.

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
      let from = now.adding(seconds: -Int64(period.days) * Self.daySeconds)
      var statistics = try wholeSpans(connection, userId, from: from)
      try countCalls(connection, userId, from: from, into: &statistics)
      return (statistics, from, now)
    }
  }

  static let hourSeconds: Int64 = 3600
  static let daySeconds: Int64 = 86_400

  private static let pairs = CallType.allCases.flatMap { type in
    HistoryStatus.allCases.map { (type: type, status: $0) }
  }
  private static let columns = pairs.map { column($0.type, $0.status) }

  private static func column(_ type: CallType, _ status: HistoryStatus) -> String {
    "\(type.rawValue)_\(status.rawValue)"
  }

  /// Whole days, and whole hours of the days that began before.
  private func wholeSpans(_ connection: MySQLConnection, _ userId: String, from: Timestamp) throws
    -> CallStatistics
  {
    let sums = (Self.columns + ["total_seconds", "completed_seconds"]).map { "SUM(\($0))" }
    let row = try connection.queryRow(
      """
      SELECT \(sums.joined(separator: ", ")) FROM call_statistics WHERE user_id = ?
        AND ((span = 'day' AND starts_at >= ?)
          OR (span = 'hour' AND starts_at >= ? AND starts_at < ? AND day_starts_at < ?))
      """,
      [
        .text(userId), .time(from), .time(from), .time(from.adding(seconds: Self.daySeconds)),
        .time(from),
      ])
    var statistics = CallStatistics()
    guard let row else { return statistics }
    for (index, pair) in Self.pairs.enumerated() {
      statistics.add(pair.type, pair.status, calls: Int(row.int(index)), seconds: 0)
    }
    statistics.totalSeconds = Int(row.int(Self.pairs.count))
    statistics.completedSeconds = Int(row.int(Self.pairs.count + 1))
    return statistics
  }

  /// The calls of the period whose hour began before it.
  private func countCalls(
    _ connection: MySQLConnection, _ userId: String, from: Timestamp,
    into statistics: inout CallStatistics
  ) throws {
    let side = { (column: String, isCaller: Int) in
      """
      SELECT \(isCaller), call_type, status, end_reason, accepted_at IS NOT NULL AS accepted, invited,
        COUNT(*), SUM(duration_seconds)
      FROM calls WHERE \(column) = ? AND created_at >= ? AND created_at < ? AND counted_hour < ?
      GROUP BY call_type, status, end_reason, accepted, invited
      """
    }
    let values: [MySQLValue] = [
      .text(userId), .time(from), .time(from.adding(seconds: Self.hourSeconds)), .time(from),
    ]
    let rows = try connection.query(
      side("caller_id", 1) + " UNION ALL " + side("callee_id", 0), values + values)
    for row in rows {
      guard let type = CallType(rawValue: row.text(1)),
        let status = CallStatus(rawValue: row.text(2))
      else { throw StorageError.corruptRow(table: "calls", id: userId) }
      let history = HistoryStatus(
        status: status, endReason: row.optionalText(3).flatMap(EndReason.init(rawValue:)),
        wasInvited: row.int(5) != 0, wasAccepted: row.int(4) != 0, isCaller: row.int(0) != 0)
      statistics.add(type, history, calls: Int(row.int(6)), seconds: Int(row.int(7)))
    }
  }
}
