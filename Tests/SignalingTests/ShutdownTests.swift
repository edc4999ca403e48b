// What is left of a sidecar that has ended.

import TestServers
import Testing

@testable import Signaling

@Suite struct ShutdownTests {
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
