import Glibc
import Testing

@testable import Signaling

@Suite("Contract 8.1: how many sockets a user has open") struct RosterTests {
  private func sidecar() throws -> RunningSidecar {
    try RunningSidecar { $0.keepsRoster = true }
  }

  @Test func countsFollowTheSockets() throws {
    let sidecar = try sidecar()
    let world = sidecar.world
    let clients = try (0..<3).map { _ in try sidecar.greeted("alice") }
    _ = try sidecar.greeted("bob")
    #expect(eventually { world.with { $0.roster } == ["alice": 3, "bob": 1] })
    clients[0].hangUp()
    clients[2].hangUp()
    #expect(eventually { world.with { $0.roster["alice"] } == 1 })
    clients[1].hangUp()
    #expect(eventually { world.with { $0.roster["alice"] } == 0 })
  }

  @Test("A count that could not be written is written later")
  func failures() throws {
    let sidecar = try sidecar()
    let world = sidecar.world
    let client = try sidecar.greeted("alice")
    #expect(eventually { world.with { $0.roster["alice"] } == 1 })
    world.with { $0.failuresToList = 1 }
    client.hangUp()
    #expect(eventually { world.with { $0.roster["alice"] } == 0 })
  }

  @Test("The server says that it lives, and that it goes")
  func liveness() throws {
    let sidecar = try sidecar()
    let world = sidecar.world
    #expect(eventually { world.with { $0.rosterServers.count } == 1 })
    sidecar.beginStop()
    #expect(eventually { world.with { $0.rosterServers.isEmpty } })
    sidecar.stop()
  }

  @Test("Where nobody asks for it nothing is written")
  func off() throws {
    let sidecar = try RunningSidecar()
    _ = try sidecar.greeted("alice")
    #expect(sidecar.world.with { $0.roster.isEmpty && $0.rosterServers.isEmpty })
  }
}
