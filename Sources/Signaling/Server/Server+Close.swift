// How connections end: by a Close frame from either side (RFC 6455 section 7), by silence, by their
// own slowness.

import WebSocket

extension Server {
  /// Sends a Close frame and waits a while for the peer's. A connection that is not open yet is
  /// dropped.
  package func close(_ connection: Connection, _ code: CloseCode, _ reason: String = "") {
    switch connection.phase {
    case .head, .deciding: drop(connection)
    case .closing, .lingering, .draining: break
    // Its answer could not be told from the frames that wait.
    case .open where connection.isHeld: fail(connection, WebSocketFailure(code, reason))
    case .open:
      send(connection) { FrameEncoder.appendClose(code, reason: reason, to: &$0) }
      guard table[tag: connection.tag] != nil else { return }
      connection.phase = .closing
      setDeadline(connection, seconds: settings.closeSeconds)
      report(connection)
    }
  }

  /// The peer broke the protocol or a rule: it is told so, and not listened to any more
  /// (RFC 6455, 7.1.7). The stream ends when it has stopped sending: a proxy that sees our end of
  /// the stream while it still has something to pass on would cut the peer off before it can read
  /// why.
  func fail(_ connection: Connection, _ failure: WebSocketFailure) {
    if connection.phase == .open {
      // First of all, because a queue that this Close frame overflows fails the connection, too.
      connection.phase = .lingering
      append(connection) {
        FrameEncoder.appendClose(failure.code, reason: failure.reason, to: &$0)
      }
    }
    guard end(connection, .lingering) else { return }
    connection.discardedAt = tick
    lingering.append(connection.tag)
  }

  /// Nothing more will be sent: what is queued goes out, and then the peer has to close.
  func drain(_ connection: Connection) {
    guard end(connection, .draining) else { return }
    if corked !== connection, connection.isDrained { finish(connection) }
  }

  /// - Returns: false where the connection has gone already.
  private func end(_ connection: Connection, _ phase: Connection.Phase) -> Bool {
    guard table[tag: connection.tag] != nil else { return false }
    connection.phase = phase
    connection.preamble = nil
    if connection.isPaused {
      connection.isPaused = false
      watch(connection)
    }
    setDeadline(connection, seconds: settings.closeSeconds)
    report(connection)
    return true
  }

  func finishLingering() {
    guard !lingering.isEmpty else { return }
    let tags = lingering
    lingering = []
    for tag in tags {
      guard let connection = table[tag: tag] else { continue }
      if connection.discardedAt + 1 < tick, connection.isDrained {
        drain(connection)
      } else {
        lingering.append(tag)
      }
    }
  }

  func expire() {
    for connection in table.overdue(at: tick) {
      if connection.phase == .open, connection.isHeld {
        // It is not read from, so nobody knows whether it is silent.
        fail(connection, WebSocketFailure(.tryAgainLater, "not ready in time"))
      } else {
        if connection.phase == .open, !connection.isDrained { slowReaders += 1 }
        drop(connection)
      }
    }
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
