// Why a connection ends, RFC 6455 section 7.4 and IANA's registry of close codes.

package struct CloseCode: Sendable, Hashable {
  package let value: UInt16

  package init(_ value: UInt16) { self.value = value }

  package static let normal = CloseCode(1000)
  /// The server is shutting down; the client may come back.
  package static let goingAway = CloseCode(1001)
  package static let protocolError = CloseCode(1002)
  package static let unsupportedData = CloseCode(1003)
  package static let invalidPayload = CloseCode(1007)
  package static let policyViolation = CloseCode(1008)
  package static let messageTooBig = CloseCode(1009)
  package static let internalError = CloseCode(1011)
  package static let tryAgainLater = CloseCode(1013)

  /// Whether a peer may send this code in a frame: 1004–1006 and 1015 are reserved, 1016–2999 and
  /// what is over 4999 are nobody's.
  package var isValidOnTheWire: Bool {
    switch value {
    case 1000...1003, 1007...1014, 3000...4999: true
    default: false
    }
  }
}

/// Why this side fails a connection (RFC 6455, 7.1.7): what its Close frame is to say.
package struct WebSocketFailure: Error, Equatable {
  package let code: CloseCode
  /// Short and plain ASCII.
  package let reason: String

  package init(_ code: CloseCode, _ reason: String) {
    self.code = code
    self.reason = reason
  }
}
