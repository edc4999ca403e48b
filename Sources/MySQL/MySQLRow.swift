// A row of a result. While it is fetched it is a view of the statement's buffers, from which a reader
// takes what it needs; a record is a copy that can be kept.

import Glibc
import System

/// The row that is being fetched, its columns in the order of the statement. It cannot be copied,
/// because the next row takes its place.
package struct MySQLRow: ~Copyable {
  private let columns: [MySQLColumn]

  init(columns: [MySQLColumn]) { self.columns = columns }

  package var columnCount: Int { columns.count }

  package func isNull(_ column: Int) -> Bool { columns[column].isNull }

  /// The column as an integer; 0 where it is NULL.
  package func int(_ column: Int) -> Int64 {
    let column = columns[column]
    if column.isNull { return 0 }
    return column.kind == .integer ? column.rawInteger : column.value.integer
  }

  package func double(_ column: Int) -> Double? { columns[column].value.number }

  /// The column as text; nil where it is NULL. A number is given as its decimal digits: `users` may
  /// be a view with numeric ids.
  package func optionalText(_ column: Int) -> String? {
    let column = columns[column]
    if column.isNull { return nil }
    return column.kind == .text ? column.text : column.value.string
  }

  /// The column as text; empty where it is NULL.
  package func text(_ column: Int) -> String { optionalText(column) ?? "" }

  package func time(_ column: Int) -> Timestamp? {
    let column = columns[column]
    return column.kind == .time && !column.isNull ? column.time : nil
  }

  /// The column's bytes as they were fetched, without a String in between.
  /// - Returns: What `body` returns; nil where the column is NULL.
  package func withUTF8<Result>(_ column: Int, _ body: (Span<UInt8>) throws -> Result) rethrows
    -> Result?
  {
    let column = columns[column]
    if column.isNull { return nil }
    guard column.kind == .text || column.kind == .bytes else {
      let text = column.value.string ?? ""
      return try body(text.utf8Span.span)
    }
    return try column.content.withMemoryRebound(to: UInt8.self) { try body($0.span) }
  }

  /// A copy of the column's bytes; empty where it is NULL.
  package func bytes(_ column: Int) -> [UInt8] {
    withUTF8(column) { utf8 in utf8.withUnsafeBufferPointer { Array($0) } } ?? []
  }

  /// Whether two columns have the same text, byte for byte; false where either is NULL.
  package func haveSameText(_ one: Int, _ other: Int) -> Bool {
    let (one, other) = (columns[one], columns[other])
    if one.isNull || other.isNull { return false }
    guard one.kind == .text, other.kind == .text else {
      guard let text = one.value.string, let otherText = other.value.string else { return false }
      return text.utf8.elementsEqual(otherText.utf8)
    }
    let (bytes, otherBytes) = (one.content, other.content)
    return bytes.count == otherBytes.count
      && memcmp(bytes.baseAddress!, otherBytes.baseAddress!, bytes.count) == 0
  }

  func record() -> MySQLRecord { MySQLRecord(values: columns.map(\.value)) }
}

/// A copy of a row, its columns in the order of the statement.
package struct MySQLRecord: Sendable {
  package let values: [MySQLValue]

  package init(values: [MySQLValue]) { self.values = values }

  package func isNull(_ column: Int) -> Bool { values[column] == .null }

  /// The column as an integer; 0 where it is NULL.
  package func int(_ column: Int) -> Int64 { values[column].integer }

  package func double(_ column: Int) -> Double? { values[column].number }

  /// The column as text; nil where it is NULL.
  package func optionalText(_ column: Int) -> String? { values[column].string }

  /// The column as text; empty where it is NULL.
  package func text(_ column: Int) -> String { optionalText(column) ?? "" }

  package func time(_ column: Int) -> Timestamp? {
    if case .time(let value) = values[column] { value } else { nil }
  }
}

extension MySQLValue {
  /// 0 where it is none.
  fileprivate var integer: Int64 {
    switch self {
    case .int(let value): value
    case .double(let value): Int64(value)
    case .text(let value): Int64(value) ?? 0
    default: 0
    }
  }

  fileprivate var number: Double? {
    switch self {
    case .double(let value): value
    case .int(let value): Double(value)
    case .text(let value): Double(value)
    default: nil
    }
  }

  fileprivate var string: String? {
    switch self {
    case .text(let value): value
    case .bytes(let value): String(decoding: value, as: UTF8.self)
    case .int(let value): String(value)
    case .double(let value): String(value)
    default: nil
    }
  }
}
