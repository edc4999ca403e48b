// Percent-encoding, RFC 3986 section 2.1, strict: a `%` without two hexadecimal digits, bytes that
// are not UTF-8, and NUL are errors, never passed on as they are.

package struct PercentDecodingError: Error, Equatable {
  package init() {}
}

package enum PercentEncoding {
  /// - Parameter plusIsSpace: true within a query (application/x-www-form-urlencoded).
  package static func decode(
    _ text: some StringProtocol, plusIsSpace: Bool = false
  ) throws(PercentDecodingError) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count)
    var rest = text.utf8.makeIterator()
    while let byte = rest.next() {
      switch byte {
      case UInt8(ascii: "%"):
        guard let high = rest.next().flatMap(hexadecimal),
          let low = rest.next().flatMap(hexadecimal)
        else { throw PercentDecodingError() }
        bytes.append(high << 4 | low)
      case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
      default: bytes.append(byte)
      }
      if bytes.last == 0 { throw PercentDecodingError() }
    }
    guard let decoded = String(validating: bytes, as: UTF8.self) else {
      throw PercentDecodingError()
    }
    return decoded
  }

  /// One segment of a path: everything but the unreserved characters is encoded (RFC 3986, 2.3).
  package static func encode(_ text: some StringProtocol) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
        UInt8(ascii: "_"), UInt8(ascii: "~"):
        bytes.append(byte)
      default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func hexadecimal(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
