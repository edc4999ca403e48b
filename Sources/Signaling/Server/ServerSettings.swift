// The server's bounds and intervals.

package struct ServerSettings: Sendable {
  /// For a whole request head, and for what decides on it.
  package var headSeconds = 5
  package var pingSeconds = 25
  /// Without a byte from the peer for so long, a connection is dropped (contract §6.4).
  package var silenceSeconds = 75
  /// How long a peer whose queue is blocked may go without reading anything.
  package var blockedSeconds = 30
  /// How long a closing connection waits for the peer's part of it.
  package var closeSeconds = 5
  /// Over how long a shutdown spreads its Close frames.
  package var shutdownSeconds = 2
  /// The longest message of a client, in bytes.
  package var messageBytes = 16_384
  /// What may wait for a slow reader, in bytes; beyond it the connection is closed.
  package var queueBytes = 262_144

  package init() {}
}
