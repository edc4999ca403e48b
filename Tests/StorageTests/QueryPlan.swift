// How a server would run a statement, as EXPLAIN has it in a table. MySQL 9 explains in a tree by default, and its
// table has a column, `partitions`, that MariaDB's lacks (MySQL 9.7 Reference Manual, "EXPLAIN Output Format").

import MySQL

struct QueryPlan {
  struct Step: Equatable {
    /// The alias where there is one.
    let table: String
    /// `ref`, `range`, `ALL` and their like.
    let access: String
    let index: String
    let extra: String
  }

  let steps: [Step]

  /// - Throws: `MySQLError`.
  init(_ connection: MySQLConnection, _ sql: String, _ values: [MySQLValue] = []) throws {
    steps = try connection.query("EXPLAIN FORMAT=TRADITIONAL \(sql)", values).map { row in
      func text(_ column: Int) -> String { row.optionalText(column) ?? "" }
      let (columns, access) = (row.values.count, row.values.count == 12 ? 4 : 3)
      return Step(
        table: text(2), access: text(access), index: text(access + 2), extra: text(columns - 1))
    }
  }
}
