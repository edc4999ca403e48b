// One accepted socket. Idle and open it has no buffer at all: its decoder is one pointer, and what
// it reads goes through the server's shared buffer. A handler adds what it knows in a subclass.

import System
import WebSocket

package class Connection {
  enum Phase: UInt8 {
    /// The request head is coming in.
    case head
    /// The handler is making up its mind about the request.
    case deciding
    /// Frames go both ways.
    case open
    /// Our Close frame is out and the peer's is awaited.
    case closing
    /// The peer was told that it failed; what it still sends is thrown away until it stops.
    case lingering
    /// Nothing more is sent; what still comes is thrown away until the peer closes, because a
    /// close(2) with unread bytes would be a reset that can overtake what was sent last.
    case draining
  }

  // Properties of one size stand together, so that nothing is lost between them.

  let descriptor: Descriptor
  /// While lingering: the tick of the last bytes that were thrown away.
  var discardedAt: UInt32 = 0
  /// Names this connection and no later one that gets the same descriptor.
  package let tag: UInt64
  var decoder = MessageDecoder()
  /// Present where something has come that is to be gone on with.
  var preamble: Preamble?
  /// Present while the socket is blocked.
  var queue: OutputQueue?
  var phase = Phase.head
  /// Whether frames are to wait until the handler releases them.
  var isHeld = true
  /// Whether nothing is read until the frames are released.
  var isPaused = false
  /// Whether the handler has been told that nothing more can be sent.
  var isReported = false

  package init(_ descriptor: consuming Descriptor, tag: UInt64) {
    self.descriptor = descriptor
    self.tag = tag
  }

  /// Whether everything that was sent has been taken by the socket.
  package var isDrained: Bool { queue == nil }

  var raw: Int32 { descriptor.raw }
}
