// A request of our own as bytes of HTTP/1.1 (RFC 9112 section 3).

package enum RequestEncoder {
  /// Names the program to the servers that it sends to (RFC 9110, 10.1.5).
  package static let userAgent = "Chattrix-Calls"

  /// The fields that follow from the request itself; a caller's own are left out.
  private static let ownFields = [
    "Host", "User-Agent", "Accept-Encoding", "Content-Length", "Transfer-Encoding", "Connection",
  ]

  /// A whole POST: head and body in one piece, which so leaves in one segment, or one TLS record, where it
  /// fits.
  /// - Parameter headers: Names are tokens of the program's own.
  package static func post(
    _ body: [UInt8], to url: HTTPURL, headers: [(name: String, value: String)]
  ) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(1024 + body.count)
    appendHead("POST", url, to: &bytes)
    for header in headers where !isOwn(header.name) {
      precondition(HTTPText.isToken(header.name.utf8), "a field name that is no token")
      FieldLine.append(header.name, header.value, to: &bytes)
    }
    FieldLine.append("Content-Length", String(body.count), to: &bytes)
    bytes += "\r\n".utf8
    return bytes + body
  }

  package static func get(_ url: HTTPURL) -> [UInt8] {
    var bytes: [UInt8] = []
    appendHead("GET", url, to: &bytes)
    return bytes + "\r\n".utf8
  }

  private static func appendHead(_ method: String, _ url: HTTPURL, to bytes: inout [UInt8]) {
    bytes += "\(method) \(url.target) HTTP/1.1\r\n".utf8
    FieldLine.append("Host", url.authority, to: &bytes)
    FieldLine.append("User-Agent", userAgent, to: &bytes)
    // Without the field a server may choose any coding (RFC 9110, 12.5.3).
    FieldLine.append("Accept-Encoding", "identity", to: &bytes)
  }

  private static func isOwn(_ name: String) -> Bool {
    ownFields.contains { HTTPHeaders.sameName($0, name) }
  }
}
