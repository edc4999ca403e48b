// RESP2 replies out of a stream of bytes, without I/O (redis.io/docs/reference/protocol-spec).
//
// What has arrived of a reply is kept until the reply is whole. A length is checked as soon as its
// line is there, before anything of that length is waited for or allocated.

/// What one reply may be at the most.
package struct RESPLimits: Sendable {
  /// A whole reply, in bytes.
  package var replyBytes = 1 << 20
  /// A line: a simple string, an error, a number.
  package var lineBytes = 4096
  /// The elements of one array.
  package var elements = 4096
  /// Arrays in arrays.
  package var depth = 4

  package init() {}
}

package struct RESPDecoder {
  private let limits: RESPLimits
  private var buffer: [UInt8] = []
  /// Where the next reply starts in `buffer`.
  private var start = 0
  /// How many bytes from `start` on the reply has at the least, as far as its lengths are known, so
  /// that a long one is not read from its beginning with every piece that comes.
  private var minimumCount = 1

  package init(limits: RESPLimits = RESPLimits()) { self.limits = limits }

  package mutating func feed(_ bytes: Span<UInt8>) {
    if start > 0 {
      buffer.removeSubrange(..<start)
      start = 0
    }
    buffer.reserveCapacity(buffer.count + bytes.count)
    for index in bytes.indices { buffer.append(bytes[index]) }
  }

  /// Whether nothing of a further reply has come.
  package var isEmpty: Bool { start == buffer.count }

  /// The next whole reply, or nil where more bytes are needed.
  /// - Throws: `.protocolViolation`; the stream is of no use afterwards.
  package mutating func next() throws(RedisError) -> RedisValue? {
    guard buffer.count - start >= minimumCount else { return nil }
    var cursor = Cursor(limits: limits, start: start, position: start)
    do {
      let value = try cursor.value(in: buffer.span, depth: 0)
      start = cursor.position
      minimumCount = 1
      if start == buffer.count {
        buffer.removeAll(keepingCapacity: buffer.capacity <= 16_384)
        start = 0
      }
      return value
    } catch {
      switch error {
      case .incomplete(let needed):
        minimumCount = max(needed - start, buffer.count - start + 1)
        return nil
      case .violation(let reason): throw .protocolViolation(reason)
      }
    }
  }
}

/// One pass over the bytes of a reply.
private struct Cursor {
  enum Stop: Error {
    /// The reply goes on, at least up to this position.
    case incomplete(Int)
    case violation(String)
  }

  let limits: RESPLimits
  let start: Int
  var position: Int

  mutating func value(in bytes: Span<UInt8>, depth: Int) throws(Stop) -> RedisValue {
    guard position < bytes.count else { throw .incomplete(position + 1) }
    let kind = bytes[position]
    position += 1
    switch kind {
    case UInt8(ascii: "+"): return .simple(try text(in: bytes))
    case UInt8(ascii: "-"): return .error(try text(in: bytes))
    case UInt8(ascii: ":"): return .integer(try integer(in: bytes))
    case UInt8(ascii: "$"): return try bulk(in: bytes)
    case UInt8(ascii: "*"): return try array(in: bytes, depth: depth)
    default: throw .violation("type byte \(kind)")
    }
  }

  /// The range of a line without its CRLF; `position` goes behind it.
  private mutating func line(in bytes: Span<UInt8>) throws(Stop) -> Range<Int> {
    let first = position
    while position < bytes.count, bytes[position] != UInt8(ascii: "\r") {
      position += 1
      guard position - first <= limits.lineBytes else { throw .violation("a line too long") }
    }
    guard position + 1 < bytes.count else { throw .incomplete(bytes.count + 1) }
    guard bytes[position + 1] == UInt8(ascii: "\n") else { throw .violation("a bare CR") }
    position += 2
    guard position - start <= limits.replyBytes else { throw .violation("a reply too long") }
    return first..<position - 2
  }

  private mutating func text(in bytes: Span<UInt8>) throws(Stop) -> String {
    let range = try line(in: bytes)
    return bytes.extracting(range).withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
  }

  private mutating func integer(in bytes: Span<UInt8>) throws(Stop) -> Int64 {
    let range = try line(in: bytes)
    let digits = range.count <= 20 ? bytes.extracting(range) : bytes.extracting(0..<0)
    let text = digits.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
    guard let number = Int64(text) else { throw .violation("a bad number") }
    return number
  }

  private mutating func bulk(in bytes: Span<UInt8>) throws(Stop) -> RedisValue {
    let length = try integer(in: bytes)
    if length == -1 { return .null }
    guard length >= 0, length <= limits.replyBytes,
      position - start + Int(length) + 2 <= limits.replyBytes
    else { throw .violation("a bulk string of \(length) bytes") }
    let end = position + Int(length)
    guard end + 2 <= bytes.count else { throw .incomplete(end + 2) }
    guard bytes[end] == UInt8(ascii: "\r"), bytes[end + 1] == UInt8(ascii: "\n") else {
      throw .violation("a bulk string without its end")
    }
    let content = bytes.extracting(position..<end).withUnsafeBufferPointer(Array.init)
    position = end + 2
    return .bulk(content)
  }

  private mutating func array(in bytes: Span<UInt8>, depth: Int) throws(Stop) -> RedisValue {
    let count = try integer(in: bytes)
    if count == -1 { return .null }
    guard count >= 0, count <= limits.elements else {
      throw .violation("an array of \(count) elements")
    }
    guard depth < limits.depth else { throw .violation("arrays too deep") }
    var elements: [RedisValue] = []
    for _ in 0..<count { elements.append(try value(in: bytes, depth: depth + 1)) }
    return .array(elements)
  }
}
