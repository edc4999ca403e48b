// The end of the server: Close frames spread over a while, so that the clients do not all come back
// in the same instant, and then a little time for their answers.

import System
import WebSocket

struct Shutdown {
  /// Between two slices. A server that has stood still has several ticks to make up for at once; told in the same
  /// instant, half of the clients would come back in one.
  private static let leastMilliseconds: Int64 = 200

  private let capacity: Int32
  private let slice: Int32
  /// In ticks.
  private let grace: UInt32
  private var next: Int32 = 0
  private var slicedAt = Int64.min / 2
  /// Known once the last slice has been told.
  private var lastTick: UInt32?
  private(set) var isThrough = false

  /// - Parameter capacity: One more than the highest descriptor of a connection.
  init(capacity: Int, _ settings: ServerSettings) {
    self.capacity = Int32(capacity)
    let ticks = max(1, UInt32(settings.shutdownSeconds) * Server.ticksPerSecond)
    slice = Int32(capacity) / Int32(ticks) + 1
    grace = UInt32(min(settings.closeSeconds, 2)) * Server.ticksPerSecond
  }

  /// Called with each tick.
  mutating func advance(_ server: Server) {
    for raw in nextSlice(at: MonotonicClock.milliseconds()) {
      if let connection = server.table[raw] {
        server.close(connection, .goingAway, "shutting down")
      }
    }
    if next >= capacity, lastTick == nil { lastTick = server.tick + grace }
    let isOver = lastTick.map { server.tick >= $0 } ?? false
    isThrough = server.table.count == 0 || isOver
    if isOver { server.dropAll() }
  }

  /// - Parameter now: On the monotonic clock, in milliseconds.
  /// - Returns: The descriptors whose turn it is; none too soon after those before.
  mutating func nextSlice(at now: Int64) -> Range<Int32> {
    guard now - slicedAt >= Self.leastMilliseconds else { return next..<next }
    let found = next..<min(next + slice, capacity)
    (next, slicedAt) = (found.upperBound, now)
    return found
  }
}
