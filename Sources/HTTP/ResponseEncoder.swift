// A response as bytes of HTTP/1.1, RFC 9112 section 4, for the one program that speaks it itself.

extension HTTPResponse {
  /// The whole response. `Content-Length` is set here (a 1xx or 204 has none, RFC 9110, 8.6).
  ///
  /// Field values are the program's own. Should one hold a control character all the same, it is
  /// sent as a space, so that no value can end its line.
  package func serialized() -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(256 + body.count)
    bytes += "HTTP/1.1 \(status) \(Self.reason(status))\r\n".utf8
    for field in headers.fields where !HTTPHeaders.sameName(field.name, "Content-Length") {
      Self.append(field, to: &bytes)
    }
    if status >= 200, status != 204 {
      Self.append(.init(name: "Content-Length", value: String(body.count)), to: &bytes)
    }
    bytes += "\r\n".utf8
    bytes += body
    return bytes
  }

  private static func append(_ field: HTTPHeaders.Field, to bytes: inout [UInt8]) {
    bytes += field.name.utf8
    bytes += ": ".utf8
    for byte in field.value.utf8 {
      bytes.append(HTTPText.isFieldCharacter(byte) ? byte : UInt8(ascii: " "))
    }
    bytes += "\r\n".utf8
  }
}
