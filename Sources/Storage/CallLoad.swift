// What an operator watches of the calls themselves: how many there are, and whether deadlines are kept.

package struct CallLoad: Sendable, Equatable {
  /// Calls that are not over, of all hosts on this database.
  package var liveCalls: Int
  /// How long ago the oldest deadline passed that has not been acted on, in milliseconds; 0 where none
  /// has.
  package var lagMilliseconds: Int

  /// One range of the index on `deadline_at`, in which only live calls are.
  /// - Throws: `MySQLError`.
  static func measure(_ database: Database) throws -> CallLoad {
    let loads = try database.read {
      try $0.map(
        """
        SELECT COUNT(*), TIMESTAMPDIFF(MICROSECOND, MIN(deadline_at), UTC_TIMESTAMP(3)) DIV 1000
        FROM calls WHERE deadline_at IS NOT NULL
        """, []
      ) { row in
        CallLoad(liveCalls: Int(row.int(0)), lagMilliseconds: max(0, Int(row.int(1))))
      }
    }
    return loads.first ?? CallLoad(liveCalls: 0, lagMilliseconds: 0)
  }
}
