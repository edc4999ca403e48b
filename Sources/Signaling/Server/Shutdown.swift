// The end of the server: Close frames spread over a while, so that the clients do not all come back
// in the same instant, and then a little time for their answers.

import WebSocket

struct Shutdown {
  private var next: Int32 = 0
  private let slice: Int32
  private let lastTick: UInt32
  private(set) var isThrough = false

  init(_ server: Server) {
    let ticks = max(1, UInt32(server.settings.shutdownSeconds) * Server.ticksPerSecond)
    slice = Int32(server.table.capacity) / Int32(ticks) + 1
    let grace = UInt32(min(server.settings.closeSeconds, 2)) * Server.ticksPerSecond
    lastTick = server.tick + ticks + grace
  }

  mutating func advance(_ server: Server) {
    let end = min(next + slice, Int32(server.table.capacity))
    while next < end {
      if let connection = server.table[next] {
        server.close(connection, .goingAway, "shutting down")
      }
      next += 1
    }
    let isOver = server.tick >= lastTick
    isThrough = server.table.count == 0 || isOver
    if isOver { server.dropAll() }
  }
}
