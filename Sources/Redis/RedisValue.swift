// A reply of Redis in RESP2 (redis.io/docs/reference/protocol-spec).

package enum RedisValue: Sendable, Equatable {
  case simple(String)
  case error(String)
  case integer(Int64)
  case bulk([UInt8])
  /// A bulk string or an array that does not exist.
  case null
  case array([RedisValue])

  package var integerValue: Int64? {
    if case .integer(let value) = self { value } else { nil }
  }

  package var bytes: [UInt8]? {
    if case .bulk(let value) = self { value } else { nil }
  }

  package var elements: [RedisValue]? {
    if case .array(let values) = self { values } else { nil }
  }

  package var isNull: Bool { self == .null }
}
