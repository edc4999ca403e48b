// The byte layout of AccessToken2: little-endian numbers; texts, lists and maps behind a 16-bit
// count; maps in the order of their keys.

struct Packer {
  private(set) var bytes: [UInt8] = []

  mutating func uint16(_ value: UInt16) {
    bytes.append(UInt8(truncatingIfNeeded: value))
    bytes.append(UInt8(truncatingIfNeeded: value >> 8))
  }

  mutating func uint32(_ value: UInt32) {
    uint16(UInt16(truncatingIfNeeded: value))
    uint16(UInt16(truncatingIfNeeded: value >> 16))
  }

  mutating func raw(_ value: [UInt8]) { bytes.append(contentsOf: value) }

  mutating func count(_ value: Int) throws(AgoraTokenError) {
    guard let count = UInt16(exactly: value) else { throw .valueTooLong }
    uint16(count)
  }

  mutating func data(_ value: [UInt8]) throws(AgoraTokenError) {
    try count(value.count)
    raw(value)
  }

  mutating func text(_ value: String) throws(AgoraTokenError) { try data(Array(value.utf8)) }

  mutating func texts(_ values: [String]) throws(AgoraTokenError) {
    try count(values.count)
    for value in values { try text(value) }
  }

  mutating func map<Value>(
    _ entries: [UInt16: Value], _ pack: (inout Packer, Value) throws(AgoraTokenError) -> Void
  ) throws(AgoraTokenError) {
    try count(entries.count)
    for (key, value) in entries.sorted(by: { $0.key < $1.key }) {
      uint16(key)
      try pack(&self, value)
    }
  }
}

/// Reads the same layout. Nothing is set aside by a count that the bytes do not bear out.
struct Unpacker {
  private let bytes: [UInt8]
  private(set) var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { position == bytes.count }

  mutating func uint16() throws(AgoraTokenError) -> UInt16 {
    guard bytes.count - position >= 2 else { throw .truncated }
    defer { position += 2 }
    return UInt16(bytes[position]) | UInt16(bytes[position + 1]) << 8
  }

  mutating func uint32() throws(AgoraTokenError) -> UInt32 {
    let low = try uint16()
    return UInt32(low) | UInt32(try uint16()) << 16
  }

  mutating func data() throws(AgoraTokenError) -> [UInt8] {
    let count = Int(try uint16())
    guard bytes.count - position >= count else { throw .truncated }
    defer { position += count }
    return Array(bytes[position..<position + count])
  }

  mutating func text() throws(AgoraTokenError) -> String {
    guard let text = String(validating: try data(), as: UTF8.self) else { throw .invalidText }
    return text
  }

  mutating func texts() throws(AgoraTokenError) -> [String] {
    var texts: [String] = []
    for _ in 0..<(try uint16()) { texts.append(try text()) }
    return texts
  }

  mutating func map<Value>(
    _ unpack: (inout Unpacker) throws(AgoraTokenError) -> Value
  ) throws(AgoraTokenError) -> [UInt16: Value] {
    var entries: [UInt16: Value] = [:]
    for _ in 0..<(try uint16()) {
      let key = try uint16()
      entries[key] = try unpack(&self)
    }
    return entries
  }

  /// All that is left.
  mutating func rest() -> [UInt8] {
    defer { position = bytes.count }
    return Array(bytes[position...])
  }
}
