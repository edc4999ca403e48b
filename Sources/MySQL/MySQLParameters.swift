// The values of one execution in the form that the client library reads: an array of MYSQL_BIND and
// one block of memory behind it, freed together.

import CMySQL
import System

struct MySQLParameters {
  let binds: UnsafeMutableBufferPointer<MYSQL_BIND>
  private let block: UnsafeMutableRawPointer

  init(_ values: [MySQLValue]) {
    binds = .allocate(capacity: values.count)
    block = .allocate(byteCount: values.reduce(0) { $0 + Self.size($1) }, alignment: 8)
    var place = block
    for (index, value) in values.enumerated() {
      Self.bind(value, at: place, &binds[index])
      place += Self.size(value)
    }
  }

  func deallocate() {
    binds.deallocate()
    block.deallocate()
  }

  /// Bytes for a value, rounded up so that the next one is aligned.
  private static func size(_ value: MySQLValue) -> Int {
    let size =
      switch value {
      case .null: 0
      case .int, .double: 8
      case .text(let text): text.utf8.count
      case .bytes(let bytes): bytes.count
      case .time: MemoryLayout<MYSQL_TIME>.size
      }
    return (size + 7) & ~7
  }

  private static func bind(
    _ value: MySQLValue, at place: UnsafeMutableRawPointer, _ bind: inout MYSQL_BIND
  ) {
    switch value {
    case .null:
      chattrix_bind_null(&bind)
    case .int(let number):
      place.storeBytes(of: number, as: Int64.self)
      chattrix_bind_value(&bind, MYSQL_TYPE_LONGLONG, place, 8)
    case .double(let number):
      place.storeBytes(of: number, as: Double.self)
      chattrix_bind_value(&bind, MYSQL_TYPE_DOUBLE, place, 8)
    case .text(let text):
      var text = text
      let count = text.withUTF8 { utf8 in
        if let start = utf8.baseAddress { place.copyMemory(from: start, byteCount: utf8.count) }
        return utf8.count
      }
      chattrix_bind_value(&bind, MYSQL_TYPE_STRING, place, UInt(count))
    case .bytes(let bytes):
      bytes.withUnsafeBytes { raw in
        if let start = raw.baseAddress { place.copyMemory(from: start, byteCount: raw.count) }
      }
      chattrix_bind_value(&bind, MYSQL_TYPE_BLOB, place, UInt(bytes.count))
    case .time(let time):
      place.bindMemory(to: MYSQL_TIME.self, capacity: 1).initialize(to: time.mysql)
      chattrix_bind_value(
        &bind, MYSQL_TYPE_DATETIME, place, UInt(MemoryLayout<MYSQL_TIME>.size))
    }
  }
}
