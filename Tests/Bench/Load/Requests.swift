// Opening handshakes (RFC 6455 section 4.1), made before any clock runs.

import Glibc
import JWT

enum Requests {
  /// One for each connection.
  static func make(_ options: Options) throws -> [[UInt8]] {
    guard !options.users.isEmpty else {
      return Array(repeating: bytes(options, authorization: nil), count: options.connections)
    }
    guard options.users.count >= options.connections else {
      throw Failure("there are \(options.users.count) users for \(options.connections) connections")
    }
    guard !options.secret.isEmpty, let signer = JWTSigner(secret: options.secret) else {
      throw Failure("users need JWT_SECRET")
    }
    let now = Int64(time(nil))
    return options.users.prefix(options.connections).map { user in
      bytes(
        options, authorization: signer.sign(subject: user, issuedAt: now, expiresAt: now + 3600))
    }
  }

  private static func bytes(_ options: Options, authorization token: String?) -> [UInt8] {
    var lines = [
      "GET \(options.path) HTTP/1.1", "Host: \(options.host):\(options.port)",
      "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
      // The RFC's own example; a server cannot know that it is always the same.
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ]
    if let token { lines.append("Authorization: Bearer \(token)") }
    return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
  }
}

/// A client's text frame, masked (RFC 6455, 5.2 and 5.3).
func textFrame(_ message: [UInt8]) -> [UInt8] {
  let mask: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]
  let payload = message.indices.map { message[$0] ^ mask[$0 & 3] }
  return [0x81, 0x80 | UInt8(message.count)] + mask + payload
}
