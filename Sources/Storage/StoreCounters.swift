// Failures of MySQL and Redis as the programs of this host meet them (``StoreCounter``).

import Exposition
import System

package enum StoreCounters {
  private static let kinds: [(name: String, counter: StoreCounter)] = [
    ("unavailable", .mysqlUnavailable), ("conflict", .mysqlConflict), ("other", .mysqlOther),
  ]

  package static func write(
    _ counters: SharedCounters, _ programs: [CountingProgram], to page: inout Exposition
  ) {
    func values(_ counter: StoreCounter) -> [(labels: Exposition.Labels, value: UInt64)] {
      programs.map {
        ([("program", $0.name)], counters.sum(counter.rawValue, over: $0.slots))
      }
    }
    page.counters(
      "chattrix_mysql_errors_total",
      "Statements and connections that failed, by kind; a conflict is tried again.",
      kinds.flatMap { kind in
        values(kind.counter).map { ($0.labels + [("kind", kind.name)], $0.value) }
      })
    page.counters(
      "chattrix_mysql_reconnections_total", "Connections to MySQL made in the place of a lost one.",
      values(.mysqlReconnections))
    page.counters(
      "chattrix_redis_errors_total", "Redis commands that got no reply or were refused.",
      values(.redisErrors))
    page.counters(
      "chattrix_redis_reconnections_total", "Connections to Redis made in the place of a lost one.",
      values(.redisReconnections))
  }
}
