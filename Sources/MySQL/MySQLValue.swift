// A value on its way to or from a statement.

import System

package enum MySQLValue: Sendable, Equatable {
  case null
  case int(Int64)
  case double(Double)
  case text(String)
  case bytes([UInt8])
  /// A DATETIME(3) in UTC (R13.5).
  case time(Timestamp)

  package static func int(_ value: Int) -> MySQLValue { .int(Int64(value)) }
  package static func bool(_ value: Bool) -> MySQLValue { .int(value ? 1 : 0) }
  package static func text(_ value: String?) -> MySQLValue { value.map { .text($0) } ?? .null }
  package static func time(_ value: Timestamp?) -> MySQLValue { value.map { .time($0) } ?? .null }
  package static func double(_ value: Double?) -> MySQLValue {
    value.map { .double($0) } ?? .null
  }
}
