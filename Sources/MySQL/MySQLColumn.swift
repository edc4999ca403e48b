// The buffer that one column of a result is fetched into, and its value read back.

import CMySQL
import System

final class MySQLColumn {
  enum Kind { case integer, double, time, text, bytes }

  let kind: Kind
  private let isUnsigned: Bool
  private var buffer: UnsafeMutableRawPointer
  private var capacity: Int
  private let cell: UnsafeMutablePointer<chattrix_cell>

  init(_ field: MYSQL_FIELD) {
    (kind, isUnsigned) = (Self.kind(of: field), Self.isUnsigned(field))
    capacity =
      switch kind {
      case .integer, .double: 8
      case .time: MemoryLayout<MYSQL_TIME>.size
      case .text, .bytes: 256
      }
    buffer = .allocate(byteCount: capacity, alignment: 8)
    cell = .allocate(capacity: 1)
    cell.initialize(to: chattrix_cell())
  }

  deinit {
    buffer.deallocate()
    cell.deallocate()
  }

  /// Whether a column of this definition can be fetched into this buffer.
  func fits(_ field: MYSQL_FIELD) -> Bool {
    kind == Self.kind(of: field) && isUnsigned == Self.isUnsigned(field)
  }

  private static func isUnsigned(_ field: MYSQL_FIELD) -> Bool {
    field.flags & UInt32(UNSIGNED_FLAG) != 0
  }

  private static func kind(of field: MYSQL_FIELD) -> Kind {
    let binaryCharacterSet: UInt32 = 63
    return switch field.type {
    case MYSQL_TYPE_TINY, MYSQL_TYPE_SHORT, MYSQL_TYPE_INT24, MYSQL_TYPE_LONG,
      MYSQL_TYPE_LONGLONG, MYSQL_TYPE_YEAR:
      .integer
    case MYSQL_TYPE_FLOAT, MYSQL_TYPE_DOUBLE, MYSQL_TYPE_DECIMAL, MYSQL_TYPE_NEWDECIMAL: .double
    case MYSQL_TYPE_DATETIME, MYSQL_TYPE_TIMESTAMP, MYSQL_TYPE_DATE: .time
    default: field.charsetnr == binaryCharacterSet ? .bytes : .text
    }
  }

  func bind(_ bind: inout MYSQL_BIND) {
    let type =
      switch kind {
      case .integer: MYSQL_TYPE_LONGLONG
      case .double: MYSQL_TYPE_DOUBLE
      case .time: MYSQL_TYPE_DATETIME
      case .text: MYSQL_TYPE_STRING
      case .bytes: MYSQL_TYPE_BLOB
      }
    chattrix_bind_result(&bind, type, buffer, UInt(capacity), cell)
  }

  private var isVariable: Bool { kind == .text || kind == .bytes }

  var isNull: Bool { chattrix_is_null(cell) }

  var isTruncated: Bool { isVariable && !isNull && Int(cell.pointee.length) > capacity }

  /// Makes room for the value that did not fit.
  func grow() {
    capacity = Int(cell.pointee.length)
    buffer.deallocate()
    buffer = .allocate(byteCount: capacity, alignment: 8)
  }

  /// Copied out of the buffer.
  var value: MySQLValue {
    if isNull { return .null }
    switch kind {
    case .integer: return integer(buffer.load(as: Int64.self))
    case .double: return .double(buffer.load(as: Double.self))
    case .time: return .time(time)
    case .text: return .text(text)
    case .bytes: return .bytes(Array(content))
    }
  }

  /// A BIGINT UNSIGNED beyond Int64 is given as its digits: `users` may be a view with such ids.
  private func integer(_ number: Int64) -> MySQLValue {
    isUnsigned && number < 0 ? .text(String(UInt64(bitPattern: number))) : .int(number)
  }

  // MARK: Of a column of that kind that is not NULL

  var rawInteger: Int64 { buffer.load(as: Int64.self) }

  var time: Timestamp { Timestamp(mysql: buffer.load(as: MYSQL_TIME.self)) }

  var text: String { String(decoding: content, as: UTF8.self) }

  var content: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: buffer, count: min(Int(cell.pointee.length), capacity))
  }
}

extension Timestamp {
  init(mysql time: MYSQL_TIME) {
    self.init(
      Components(
        year: Int(time.year), month: Int(time.month), day: Int(time.day), hour: Int(time.hour),
        minute: Int(time.minute), second: Int(time.second),
        millisecond: Int(time.second_part) / 1000))
  }

  var mysql: MYSQL_TIME {
    let parts = components
    var time = MYSQL_TIME()
    (time.year, time.month, time.day) = (UInt32(parts.year), UInt32(parts.month), UInt32(parts.day))
    (time.hour, time.minute) = (UInt32(parts.hour), UInt32(parts.minute))
    (time.second, time.second_part) = (UInt32(parts.second), UInt(parts.millisecond) * 1000)
    time.time_type = MYSQL_TIMESTAMP_DATETIME
    return time
  }
}
