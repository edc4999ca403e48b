// How connections end: by a Close frame from either side (RFC 6455 section 7), by silence, by their
// own slowness.

import WebSocket

extension Server {
  /// Sends a Close frame and waits a while for the peer's. A connection that is not open yet is
  /// dropped.
  package func close(_ connection: Connection, _ code: CloseCode, _ reason: String = "") {
    switch connection.phase {
    case .head, .deciding: drop(connection)
    case .closing, .draining: break
    case .open:
      send(connection) { FrameEncoder.appendClose(code, reason: reason, to: &$0) }
      guard table[tag: connection.tag] != nil else { return }
      connection.phase = .closing
      connection.isHeld = false
      connection.preamble = nil
      setDeadline(connection, seconds: settings.closeSeconds)
      report(connection)
    }
  }

  /// The peer broke the protocol or a rule: it is told so, and not listened to any more
  /// (RFC 6455, 7.1.7).
  func fail(_ connection: Connection, _ failure: WebSocketFailure) {
    if connection.phase == .open {
      // First of all, because a queue that this Close frame overflows fails the connection, too.
      connection.phase = .draining
      append(connection) {
        FrameEncoder.appendClose(failure.code, reason: failure.reason, to: &$0)
      }
    }
    drain(connection)
  }

  /// Nothing more will be sent: what is queued goes out, and then the peer has to close.
  func drain(_ connection: Connection) {
    guard table[tag: connection.tag] != nil else { return }
    connection.phase = .draining
    connection.preamble = nil
    setDeadline(connection, seconds: settings.closeSeconds)
    report(connection)
    if corked !== connection, connection.isDrained { finish(connection) }
  }

  func expire() {
    for connection in table.overdue(at: tick) { drop(connection) }
  }

  /// A ping for each connection once in `pingSeconds`, spread evenly over that time.
  func ping() {
    let period = settings.pingSeconds * Int(Self.ticksPerSecond)
    for index in stride(from: Int(tick) % period, to: table.capacity, by: period) {
      guard let connection = table[Int32(index)], connection.isDrained else { continue }
      send(connection) { FrameEncoder.append(.ping, [], to: &$0) }
    }
  }
}
