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
  package static func text(_ value: String?) -> MySQLValue { value.map { .text($0) } ?? .null }
  package static func time(_ value: Timestamp?) -> MySQLValue { value.map { .time($0) } ?? .null }
  package static func double(_ value: Double?) -> MySQLValue {
    value.map { .double($0) } ?? .null
  }
}

/// One row of a result, its columns in the order of the statement.
package struct MySQLRow: Sendable {
  package let values: [MySQLValue]

  package init(values: [MySQLValue]) { self.values = values }

  package func isNull(_ column: Int) -> Bool { values[column] == .null }

  /// The column as an integer; 0 where it is NULL.
  package func int(_ column: Int) -> Int64 {
    switch values[column] {
    case .int(let value): value
    case .double(let value): Int64(value)
    case .text(let value): Int64(value) ?? 0
    default: 0
    }
  }

  package func double(_ column: Int) -> Double? {
    switch values[column] {
    case .double(let value): value
    case .int(let value): Double(value)
    case .text(let value): Double(value)
    default: nil
    }
  }

  /// The column as text; nil where it is NULL. A number is given as its decimal digits: `users` may
  /// be a view with numeric ids.
  package func optionalText(_ column: Int) -> String? {
    switch values[column] {
    case .text(let value): value
    case .bytes(let value): String(decoding: value, as: UTF8.self)
    case .int(let value): String(value)
    case .double(let value): String(value)
    default: nil
    }
  }

  /// The column as text; empty where it is NULL.
  package func text(_ column: Int) -> String { optionalText(column) ?? "" }

  package func time(_ column: Int) -> Timestamp? {
    if case .time(let value) = values[column] { value } else { nil }
  }
}
