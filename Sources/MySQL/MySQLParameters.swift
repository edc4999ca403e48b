// The values of one execution in the form that the client library reads: an array of MYSQL_BIND and
// one block of memory behind it, kept from one execution to the next.

import CMySQL
import System

struct MySQLParameters: ~Copyable {
  private let binds: UnsafeMutableBufferPointer<MYSQL_BIND>
  private var block: UnsafeMutableRawPointer
  private var capacity = 256

  /// - Parameter count: The statement's parameters.
  init(count: Int) {
    binds = .allocate(capacity: count)
    block = .allocate(byteCount: capacity, alignment: 8)
  }

  deinit {
    binds.deallocate()
    block.deallocate()
  }

  var count: Int { binds.count }

  /// - Parameter values: As many as there are parameters.
  /// - Returns: What the library is to read.
  mutating func bind(_ values: [MySQLValue]) -> UnsafeMutablePointer<MYSQL_BIND>? {
    var size = 0
    for value in values { size += Self.size(value) }
    if size > capacity { grow(to: size) }
    var place = block
    for index in values.indices {
      // Not `&binds[index]`: under ThreadSanitizer that is no valid code to Swift 6.3's compiler.
      Self.bind(values[index], at: place, &binds.baseAddress![index])
      place += Self.size(values[index])
    }
    return binds.baseAddress
  }

  private mutating func grow(to size: Int) {
    block.deallocate()
    capacity = size
    block = .allocate(byteCount: size, alignment: 8)
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
