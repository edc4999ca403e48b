// An absolute `http` or `https` URL that a request is sent to (RFC 9110 section 4.2, RFC 3986 section 3).
//
// Strict, since it comes from an operator's configuration: what one program could read in another way than
// this one (user information, an IPv4 address of fewer than four numbers, a fragment) is refused.

import Glibc

package struct HTTPURL: Sendable, Equatable {
  package static let maximumBytes = 2048

  package let isSecure: Bool
  /// A name or an address, in lower case; IPv6 without its brackets.
  package let host: String
  package let port: UInt16
  /// Path and query as they were written, at least `/` (RFC 9112, 3.2.1).
  package let target: String
  /// The bytes of an IPv4 (4) or IPv6 (16) address; nil where the host is a name.
  private let address: [UInt8]?

  /// - Parameter text: At most ``maximumBytes`` bytes.
  /// - Throws: ``HTTPURLError``, which does not contain the text.
  package init(_ text: String) throws(HTTPURLError) {
    let bytes = Array(text.utf8)
    guard bytes.count <= Self.maximumBytes else { throw .tooLong }
    guard bytes.allSatisfy({ (0x21...0x7E).contains($0) }) else { throw .badCharacter }
    guard !bytes.contains(UInt8(ascii: "#")) else { throw .fragment }
    let (isSecure, rest) = try Self.scheme(of: bytes)
    let authority = rest.prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }
    guard !authority.contains(UInt8(ascii: "@")) else { throw .userInformation }
    let (host, port) = try Self.hostAndPort(authority)
    (self.host, address) = try Self.checked(host: host)
    self.port = port ?? Self.defaultPort(isSecure)
    self.isSecure = isSecure
    let target = String(decoding: rest[authority.endIndex...], as: UTF8.self)
    self.target = target.hasPrefix("/") ? target : "/" + target
  }

  /// Whether the host is an address and no name.
  package var isAddress: Bool { address != nil }

  /// 127.0.0.0/8, ::1 or `localhost`.
  package var isLoopback: Bool {
    guard let address else { return host == "localhost" }
    return address.count == 4
      ? address[0] == 127 : address == [UInt8](repeating: 0, count: 15) + [1]
  }

  /// The field `Host`: the port left out where it is the scheme's own, an IPv6 address in brackets.
  package var authority: String {
    let name = address?.count == 16 ? "[\(host)]" : host
    return port == Self.defaultPort(isSecure) ? name : "\(name):\(port)"
  }

  private static func defaultPort(_ isSecure: Bool) -> UInt16 { isSecure ? 443 : 80 }

  private static func scheme(
    of bytes: [UInt8]
  ) throws(HTTPURLError) -> (isSecure: Bool, rest: ArraySlice<UInt8>) {
    for (scheme, isSecure) in [("https://", true), ("http://", false)] {
      let start = bytes.prefix(scheme.utf8.count).map(HTTPText.lowercased)
      if start.elementsEqual(scheme.utf8) { return (isSecure, bytes[start.count...]) }
    }
    throw .scheme
  }

  private static func hostAndPort(
    _ authority: ArraySlice<UInt8>
  ) throws(HTTPURLError) -> (host: ArraySlice<UInt8>, port: UInt16?) {
    guard let colon = authority.lastIndex(of: UInt8(ascii: ":")),
      authority.last != UInt8(ascii: "]")
    else { return (authority, nil) }
    let digits = authority[(colon + 1)...]
    guard digits.allSatisfy(isDigit), let port = UInt16(String(decoding: digits, as: UTF8.self)),
      port > 0
    else { throw .port }
    return (authority[..<colon], port)
  }

  private static func checked(
    host: ArraySlice<UInt8>
  ) throws(HTTPURLError) -> (host: String, address: [UInt8]?) {
    if host.first == UInt8(ascii: "["), host.last == UInt8(ascii: "]"), host.count > 2 {
      let name = String(
        decoding: host.dropFirst().dropLast().map(HTTPText.lowercased), as: UTF8.self)
      guard let address = address(name, AF_INET6) else { throw .host }
      return (name, address)
    }
    let name = String(decoding: host.map(HTTPText.lowercased), as: UTF8.self)
    if let address = address(name, AF_INET) { return (name, address) }
    guard isName(name) else { throw .host }
    return (name, nil)
  }

  private static func address(_ text: String, _ family: Int32) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: family == AF_INET ? 4 : 16)
    return inet_pton(family, text, &bytes) == 1 ? bytes : nil
  }

  /// A name of the DNS (RFC 1123, 2.1), with the underscore that some networks have. A last label that
  /// begins with a digit belongs to an address, of which the resolver knows more spellings than we do.
  private static func isName(_ name: String) -> Bool {
    let labels = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard name.utf8.count <= 253, let last = labels.last, last.first.map(isDigit) == false else {
      return false
    }
    return labels.allSatisfy { label in
      (1...63).contains(label.count) && label.first != UInt8(ascii: "-")
        && label.last != UInt8(ascii: "-") && label.allSatisfy(isNameCharacter)
    }
  }

  private static func isNameCharacter(_ byte: UInt8) -> Bool {
    (97...122).contains(byte) || isDigit(byte) || byte == UInt8(ascii: "-")
      || byte == UInt8(ascii: "_")
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
}

/// Why a text is no URL to send to. It may hold a secret, so no case carries a part of it.
package enum HTTPURLError: Error, Equatable, Sendable, CustomStringConvertible {
  case tooLong, badCharacter, scheme, userInformation, host, port, fragment

  package var description: String {
    switch self {
    case .tooLong: "a URL of more than \(HTTPURL.maximumBytes) bytes"
    case .badCharacter: "a URL with a blank, a control character or one beyond ASCII"
    case .scheme: "a URL that begins with neither https:// nor http://"
    case .userInformation: "a URL with a user or a password"
    case .host: "a URL without a valid host"
    case .port: "a URL with an invalid port"
    case .fragment: "a URL with a fragment (#)"
    }
  }
}
