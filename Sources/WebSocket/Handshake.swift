// The server's side of the opening handshake, RFC 6455 section 4.2: what is checked is a list.

import Crypto
import HTTP

/// Why a request cannot be upgraded, in the order in which it is looked at.
package enum HandshakeFailure: Error, CaseIterable {
  case notGET
  case notHTTP11
  case noUpgrade
  case noConnectionUpgrade
  case unsupportedVersion
  case badKey
  case badSubprotocols

  package var status: Int {
    switch self {
    case .notGET: 405
    case .noUpgrade, .noConnectionUpgrade, .unsupportedVersion: 426
    case .notHTTP11, .badKey, .badSubprotocols: 400
    }
  }

  /// What the answer has to carry beside its status (RFC 9110, 10.2.1 and 15.5.22; RFC 6455, 4.4).
  package var headers: HTTPHeaders {
    switch self {
    case .notGET: ["Allow": "GET"]
    case .noUpgrade, .noConnectionUpgrade, .unsupportedVersion:
      ["Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"]
    case .notHTTP11, .badKey, .badSubprotocols: [:]
    }
  }

  package var message: String {
    switch self {
    case .notGET: "A WebSocket is opened with GET."
    case .notHTTP11: "A WebSocket is opened over HTTP/1.1."
    case .noUpgrade: "The Upgrade header does not name websocket."
    case .noConnectionUpgrade: "The Connection header does not name Upgrade."
    case .unsupportedVersion: "Only version 13 of the WebSocket protocol is spoken here."
    case .badKey: "Sec-WebSocket-Key is not the base64 of 16 bytes."
    case .badSubprotocols: "Sec-WebSocket-Protocol is not a list of tokens."
    }
  }
}

package struct Handshake: Sendable, Equatable {
  /// As the client sent it.
  package let key: String
  /// What the client offers, in its order of preference.
  package let subprotocols: [String]

  /// - Throws: the first ``HandshakeFailure`` that applies.
  package init(_ head: RequestHead) throws(HandshakeFailure) {
    let headers = head.request.headers
    guard head.request.method == .get else { throw .notGET }
    guard head.minorVersion >= 1 else { throw .notHTTP11 }
    guard Self.lists(headers, "Upgrade", "websocket") else { throw .noUpgrade }
    guard Self.lists(headers, "Connection", "upgrade") else { throw .noConnectionUpgrade }
    guard headers.values("Sec-WebSocket-Version") == ["13"] else { throw .unsupportedVersion }
    let keys = headers.values("Sec-WebSocket-Key")
    guard keys.count == 1, Base64.decode(keys[0])?.count == 16 else { throw .badKey }
    let subprotocols = headers.list("Sec-WebSocket-Protocol")
    guard subprotocols.allSatisfy({ HTTPText.isToken($0.utf8) }) else { throw .badSubprotocols }
    key = keys[0]
    self.subprotocols = subprotocols.map(String.init)
  }

  private static func lists(_ headers: HTTPHeaders, _ name: String, _ token: String) -> Bool {
    headers.list(name).contains { HTTPText.equalIgnoringCase($0, token[...]) }
  }

  /// `101 Switching Protocols` without any extension.
  /// - Parameter subprotocol: one of those offered, or nil for none.
  package func response(subprotocol: String? = nil) -> HTTPResponse {
    var headers: HTTPHeaders = [
      "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": accept,
    ]
    if let subprotocol { headers["Sec-WebSocket-Protocol"] = subprotocol }
    return HTTPResponse(status: 101, headers: headers)
  }

  /// Shows that the server speaks the protocol (RFC 6455, 4.2.2, 5.4).
  private var accept: String {
    Base64.encode(SHA1.digest(Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8)))
  }
}
