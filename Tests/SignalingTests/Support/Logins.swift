// Logins that end, and what is asked of a sidecar about them.

import JSON
import System
import Testing

extension RunningSidecar {
  /// A whole second, some seconds away by the world's clock.
  func end(in seconds: Int64) -> Timestamp {
    Timestamp(milliseconds: (world.now.seconds + seconds) * 1000)
  }

  /// The value of a counter or gauge.
  func metric(_ name: String) throws -> String? {
    let client = try Client(path)
    client.send(Array("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
    let line = client.everything().split(separator: "\n").first { $0.hasPrefix("\(name) ") }
    return line.map { String($0.dropFirst(name.utf8.count + 1)) }
  }
}

extension Client {
  func renew(_ user: String, until end: Timestamp?) {
    send(text: Self.renewal(user, until: end))
  }

  static func renewal(_ user: String, until end: Timestamp?) -> String {
    #"{"type":"auth","requestId":"r","data":{"token":"\#(World.token(user, until: end))"}}"#
  }

  /// What a renewal is answered with: the new end.
  func renewed() throws -> JSONValue? {
    let result = try next("command_result")
    #expect(result["status"] == 200)
    #expect(result["body"]?["success"] == true)
    return result["body"]?["data"]?["authenticatedUntil"]
  }
}
