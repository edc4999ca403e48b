// What comes in: request heads first, frames afterwards.

import Glibc
import HTTP
import WebSocket

extension Server {
  func receive(_ connection: Connection) {
    let count = input.receive(from: connection.raw)
    guard count > 0 else {
      if count == 0 || errno != EAGAIN && errno != EINTR { drop(connection) }
      return
    }
    input.withBytes(count) { bytes in
      switch connection.phase {
      case .head: readHead(&bytes, connection)
      case .open where !connection.isHeld:
        if connection.isDrained { setDeadline(connection, seconds: settings.silenceSeconds) }
        readFrames(&bytes, connection)
      case .deciding, .open: stash(bytes.span, connection)
      case .closing: readFrames(&bytes, connection)
      case .lingering: connection.discardedAt = tick
      case .draining: break
      }
    }
  }

  /// Handles what has come already, of an open connection, before something that would end it.
  func receivePending(_ connection: Connection) {
    if connection.phase == .open, !connection.isHeld { receive(connection) }
  }

  private func readHead(_ bytes: inout MutableSpan<UInt8>, _ connection: Connection) {
    let preamble = connection.preamble ?? Preamble()
    let head: RequestHead
    do throws(RequestHeadError) {
      guard let (whole, consumed) = try preamble.parser.feed(bytes.span) else {
        connection.preamble = preamble
        return
      }
      head = whole
      // Not to be kept while the handshake waits for the database: thousands may.
      connection.preamble = nil
      if consumed < bytes.count {
        stash(bytes.span.extracting(consumed..<bytes.count), connection)
      }
    } catch {
      handler?.refused(error, connection)
      return
    }
    connection.phase = .deciding
    handler?.requested(head, connection)
  }

  /// Keeps what came too early and reads no more: the peer's bytes wait in the kernel.
  private func stash(_ bytes: Span<UInt8>, _ connection: Connection) {
    let preamble = connection.preamble ?? Preamble()
    preamble.keep(bytes)
    connection.preamble = preamble
    connection.isPaused = true
    watch(connection)
  }

  private func readFrames(_ bytes: inout MutableSpan<UInt8>, _ connection: Connection) {
    let isOutermost = corked == nil
    if isOutermost { corked = connection }
    do throws(WebSocketFailure) {
      try connection.decoder.decode(&bytes, limit: settings.messageBytes) { kind, payload in
        take(kind, payload, connection)
        return connection.phase == .open || connection.phase == .closing
      }
    } catch {
      fail(connection, error)
    }
    if isOutermost { uncork(connection) }
  }

  private func take(_ kind: Received, _ payload: Span<UInt8>, _ connection: Connection) {
    if connection.phase == .closing {
      if case .close = kind { drain(connection) }
      return
    }
    switch kind {
    case .ping:
      send(connection) { FrameEncoder.append(.pong, payload, to: &$0) }
    case .close(let code):
      send(connection) { FrameEncoder.appendClose(code, to: &$0) }
      drain(connection)
    case .text, .binary, .fragment, .pong: break
    }
    handler?.received(kind, payload, connection)
  }

  /// Lets the frames of an upgraded connection through, those that have come already first.
  package func release(_ connection: Connection) {
    guard connection.isHeld, connection.phase == .open else { return }
    connection.isHeld = false
    let stash = connection.preamble?.takeStash() ?? []
    connection.preamble = nil
    if connection.isPaused {
      connection.isPaused = false
      watch(connection)
    }
    guard !stash.isEmpty else { return }
    var bytes = stash
    var span = bytes.mutableSpan
    readFrames(&span, connection)
  }
}
