// A web origin as text (RFC 6454 section 6.2, Fetch standard, "Origin header"): `scheme://host[:port]`.

package enum HTTPOrigin {
  /// Scheme and host in lower case, the scheme's default port left out, so that two texts of one origin are
  /// the same.
  /// - Returns: nil for what is no origin: `null`, a URL with a path, a user, a query or a trailing slash, no
  ///   host, characters beyond ASCII (a browser sends such names in Punycode), a port that is none.
  package static func normalized(_ text: some StringProtocol) -> String? {
    guard let parts = parts(of: text) else { return nil }
    let port = parts.port == defaultPort(of: parts.scheme) ? nil : parts.port
    return "\(parts.scheme)://\(parts.host)" + (port.map { ":\($0)" } ?? "")
  }

  /// Whether an origin is that of the host that a request was sent to. Native clients derive `Origin` from
  /// the URL of the WebSocket, so `ws` and `wss` are the host's own as well (contract §7.15).
  /// - Parameter host: The field `Host`, whose port may be the scheme's default one, named or not.
  package static func isOwn(_ origin: String, host: String) -> Bool {
    guard let parts = parts(of: origin), let standard = defaultPort(of: parts.scheme),
      let asked = self.parts(of: "\(parts.scheme)://\(host)")
    else { return false }
    return parts.host == asked.host && (parts.port ?? standard) == (asked.port ?? standard)
  }

  private struct Parts {
    let scheme: String
    let host: String
    let port: UInt16?
  }

  private static func parts(of text: some StringProtocol) -> Parts? {
    let bytes = Array(text.utf8)
    guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")),
      bytes[colon...].starts(with: "://".utf8), isScheme(bytes[..<colon])
    else { return nil }
    var host = bytes[(colon + 3)...]
    var port: UInt16?
    if let mark = host.lastIndex(of: UInt8(ascii: ":")), host.last != UInt8(ascii: "]") {
      let digits = host[(mark + 1)...]
      guard digits.allSatisfy({ (48...57).contains($0) }),
        let number = UInt16(String(decoding: digits, as: UTF8.self)), number > 0
      else { return nil }
      (port, host) = (number, host[..<mark])
    }
    guard isHost(host) else { return nil }
    return Parts(
      scheme: String(decoding: bytes[..<colon].map(HTTPText.lowercased), as: UTF8.self),
      host: String(decoding: host.map(HTTPText.lowercased), as: UTF8.self), port: port)
  }

  /// RFC 3986 section 3.1.
  private static func isScheme(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard let first = bytes.first, (97...122).contains(first | 0x20) else { return false }
    return bytes.allSatisfy {
      (97...122).contains($0 | 0x20) || (48...57).contains($0) || "+-.".utf8.contains($0)
    }
  }

  /// A registered name, an IPv4 address, or an IPv6 address in brackets (RFC 3986 section 3.2.2).
  private static func isHost(_ bytes: ArraySlice<UInt8>) -> Bool {
    if bytes.first == UInt8(ascii: "["), bytes.last == UInt8(ascii: "]"), bytes.count > 3 {
      return bytes.dropFirst().dropLast().allSatisfy {
        (97...102).contains($0 | 0x20) || (48...57).contains($0) || ":.".utf8.contains($0)
      }
    }
    return !bytes.isEmpty
      && bytes.allSatisfy {
        (97...122).contains($0 | 0x20) || (48...57).contains($0) || "-._~".utf8.contains($0)
      }
  }

  private static func defaultPort(of scheme: String) -> UInt16? {
    switch scheme {
    case "https", "wss": 443
    case "http", "ws": 80
    default: nil
    }
  }
}
