// A response as bytes: of HTTP/1.1 (RFC 9112 section 4) for the one program that speaks it itself,
// of CGI (RFC 3875 section 6) for those behind a web server.

extension HTTPResponse {
  /// The whole response. `Content-Length` is set here (a 1xx or 204 has none, RFC 9110, 8.6).
  ///
  /// - Parameters:
  ///   - statusPrefix: What the first line begins with; in CGI the status is a field, `Status: `.
  ///   - withBody: false for the answer to a HEAD, which says how long the body would have been.
  package func serialized(statusPrefix: String = "HTTP/1.1 ", withBody: Bool = true) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(512 + (withBody ? body.count : 0))
    bytes += statusPrefix.utf8
    bytes += "\(status) \(Self.reason(status))\r\n".utf8
    for field in headers.fields where !HTTPHeaders.sameName(field.name, "Content-Length") {
      FieldLine.append(field.name, field.value, to: &bytes)
    }
    if status >= 200, status != 204 {
      FieldLine.append("Content-Length", String(body.count), to: &bytes)
    }
    bytes += "\r\n".utf8
    if withBody { bytes += body }
    return bytes
  }
}
