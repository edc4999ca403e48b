// What goes out: at once where the socket takes it, into a bounded queue where it does not.

import Glibc
import HTTP
import WebSocket

extension Server {
  /// Appends frames to what the connection is sent. Does nothing unless it is open.
  package func send(_ connection: Connection, _ write: (inout [UInt8]) -> Void) {
    guard connection.phase == .open else { return }
    append(connection, write)
  }

  func append(_ connection: Connection, _ write: (inout [UInt8]) -> Void) {
    if corked === connection {
      // Out of the property while `write` runs: an access that lasts would have every one of this
      // property checked at run time, a tenth of what an echo takes.
      var bytes = cork
      cork = []
      write(&bytes)
      precondition(cork.isEmpty, "written to while it was being written to")
      cork = bytes
    } else if connection.queue != nil {
      enqueue(connection, write)
    } else {
      var bytes: [UInt8] = []
      write(&bytes)
      transmit(bytes, connection)
    }
  }

  private func enqueue(_ connection: Connection, _ write: (inout [UInt8]) -> Void) {
    guard let queue = connection.queue else { return }
    queue.append(write)
    if queue.count > settings.queueBytes, connection.phase == .open {
      slowReaders += 1
      fail(connection, WebSocketFailure(.tryAgainLater, "too slow"))
    }
  }

  /// Sends what a connection's input has brought about.
  func uncork(_ connection: Connection) {
    corked = nil
    guard !cork.isEmpty else {
      if connection.isDrained { finish(connection) }
      return
    }
    var bytes = cork
    cork = []
    if connection.queue != nil {
      enqueue(connection) { $0 += bytes }
    } else {
      transmit(bytes, connection)
    }
    bytes.removeAll(keepingCapacity: bytes.capacity <= 65_536)
    cork = bytes
  }

  private func transmit(_ bytes: [UInt8], _ connection: Connection) {
    guard table[tag: connection.tag] != nil else { return }
    let sent = bytes.withUnsafeBytes { write($0, connection) }
    guard let sent else { return drop(connection) }
    if sent < bytes.count { block(connection, bytes[sent...]) } else { finish(connection) }
  }

  private func block(_ connection: Connection, _ rest: ArraySlice<UInt8>) {
    connection.queue = OutputQueue(rest)
    watch(connection)
    setDeadline(connection, seconds: settings.blockedSeconds)
    if rest.count > settings.queueBytes, connection.phase == .open {
      slowReaders += 1
      fail(connection, WebSocketFailure(.tryAgainLater, "too slow"))
    }
  }

  /// - Returns: how much the socket took, or nil where the connection is broken.
  private func write(_ bytes: UnsafeRawBufferPointer, _ connection: Connection) -> Int? {
    let count = Glibc.send(
      connection.raw, bytes.baseAddress, bytes.count,
      Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
    if count >= 0 { return count }
    return errno == EAGAIN || errno == EINTR ? 0 : nil
  }

  /// The socket takes more again.
  func flush(_ connection: Connection) {
    guard let queue = connection.queue else { return }
    var isBroken = false
    queue.flush { bytes in
      guard let sent = write(bytes, connection) else {
        isBroken = true
        return 0
      }
      return sent
    }
    if isBroken { return drop(connection) }
    guard queue.count == 0 else {
      if connection.phase == .open {
        setDeadline(connection, seconds: settings.blockedSeconds)
      }
      return
    }
    connection.queue = nil
    watch(connection)
    finish(connection)
    guard connection.phase == .open else { return }
    setDeadline(connection, seconds: settings.silenceSeconds)
    handler?.drained(connection)
  }

  /// Everything is out: a connection that sends no more says so.
  func finish(_ connection: Connection) {
    if connection.phase == .draining { Glibc.shutdown(connection.raw, Int32(SHUT_WR)) }
  }

  /// Answers a request without an upgrade and ends the connection.
  package func respond(_ response: HTTPResponse, _ connection: Connection) {
    guard connection.phase == .head || connection.phase == .deciding else { return }
    var response = response
    response.headers["Connection"] = "close"
    append(connection) { $0 += response.serialized() }
    drain(connection)
  }

  /// Answers with `101`; frames are held until `release`.
  package func upgrade(_ connection: Connection, _ response: HTTPResponse) {
    guard connection.phase == .deciding else { return }
    connection.phase = .open
    setDeadline(connection, seconds: settings.silenceSeconds)
    append(connection) { $0 += response.serialized() }
  }
}
