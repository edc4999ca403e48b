// How a sidecar ends, and what is left of it.

import TestServers
import Testing

@testable import Signaling

@Suite struct ShutdownTests {
  @Test("Clients are told slice by slice, also where several ticks come at once (contract 6.4)")
  func slices() {
    var settings = ServerSettings()
    settings.shutdownSeconds = 2
    var shutdown = Shutdown(capacity: 80, settings)
    #expect(shutdown.nextSlice(at: 1000) == 0..<11)
    // The server stood still for a second: four ticks at once.
    #expect(shutdown.nextSlice(at: 2250) == 11..<22)
    for _ in 0..<3 { #expect(shutdown.nextSlice(at: 2251).isEmpty) }
    #expect(shutdown.nextSlice(at: 2251 + 199) == 22..<33)
    for (index, start) in [Int32(33), 44, 55, 66].enumerated() {
      #expect(shutdown.nextSlice(at: 2700 + Int64(index) * 250) == start..<start + 11)
    }
    #expect(shutdown.nextSlice(at: 4000) == 77..<80)
    #expect(shutdown.nextSlice(at: 5000).isEmpty)
  }

  @Test("The threads beside the event loop end with it")
  func threads() throws {
    let redis = try RedisServer()
    weak var world: World?
    weak var mailbox: Mailbox?
    do {
      let sidecar = try RunningSidecar(redis: [try redis.address]) { $0.keepsRoster = true }
      (world, mailbox) = (sidecar.world, sidecar.mailbox)
      _ = try sidecar.greeted("alice")
    }
    // Each thread holds one of them, or both.
    #expect(eventually { world == nil && mailbox == nil })
  }
}
