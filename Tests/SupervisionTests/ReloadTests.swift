import Glibc
import Testing

@testable import Supervision

@Suite struct ReloadTests {
  @Test("A reload replaces every worker, and the pool is never smaller than it is to be")
  func replacesAll() {
    var simulation = SimulatedPool(workers: 3)
    simulation.run(milliseconds: 60_000)
    simulation.pool.reload()
    simulation.act()
    #expect(simulation.processes == [100, 101, 102, 103], "the new one first")
    #expect(simulation.signals.isEmpty)
    simulation.run(milliseconds: 5_000)
    #expect(simulation.processes == [103, 104, 105])
    #expect(simulation.signals.map(\.process) == [100, 101, 102])
    #expect(simulation.smallest >= 3)
    #expect(!simulation.pool.isReloading)
    #expect(simulation.pool.nextDue(after: simulation.now) == nil)
  }

  @Test("The next worker is not replaced before the last one has gone")
  func oneByOne() {
    var simulation = SimulatedPool(workers: 2)
    simulation.endsOnTerm = false
    simulation.pool.reload()
    simulation.act()
    simulation.run(milliseconds: 5_000)
    #expect(simulation.processes == [100, 101, 102])
    #expect(Set(simulation.signals.map(\.process)) == [100])
    simulation.endsOnTerm = true
    simulation.run(milliseconds: 2_000)
    #expect(simulation.processes == [102, 103])
  }

  @Test("A new worker that dies at once ends the reload, and the old ones stay")
  func brokenProgram() {
    var simulation = SimulatedPool(workers: 3)
    simulation.run(milliseconds: 60_000)
    simulation.pool.reload()
    simulation.act()
    let ending = simulation.kill(103)
    #expect(ending?.endedReload == true)
    simulation.run(milliseconds: 60_000)
    #expect(simulation.processes == [100, 101, 102])
    #expect(!simulation.pool.isReloading)
    #expect(simulation.signals.isEmpty)
  }

  @Test("A program that cannot be started any more ends the reload, too")
  func missingProgram() {
    var pool = WorkerPool(WorkerPool.Settings(workers: 1))
    #expect(pool.due(at: 0) == [.start(slot: 0)])
    pool.started(7, slot: 0, at: 0)
    pool.reload()
    #expect(pool.due(at: 1000) == [.start(slot: 1)])
    _ = pool.startFailed(slot: 1, at: 1000)
    #expect(pool.due(at: 1000) == [])
    #expect(pool.running == 1)
    #expect(!pool.isReloading)
  }

  @Test("An old worker that dies during a reload is replaced by a new one")
  func deathDuringReload() {
    var simulation = SimulatedPool(workers: 3)
    simulation.run(milliseconds: 60_000)
    simulation.pool.reload()
    simulation.act()
    simulation.kill(102)
    #expect(simulation.living.count >= 3)
    simulation.run(milliseconds: 5_000)
    #expect(simulation.living.count == 3)
    #expect(simulation.processes.allSatisfy { $0 > 102 })
  }

  @Test("A second reload during the first replaces those, too, that the first had started")
  func reloadDuringReload() {
    var simulation = SimulatedPool(workers: 2)
    simulation.run(milliseconds: 60_000)
    simulation.pool.reload()
    simulation.act()
    simulation.run(milliseconds: 100)
    simulation.pool.reload()
    simulation.act()
    simulation.run(milliseconds: 10_000)
    #expect(simulation.living.count == 2)
    #expect(simulation.processes.allSatisfy { $0 > 102 })
    #expect(!simulation.pool.isReloading)
  }

  @Test("A drain during a reload ends all")
  func drainDuringReload() {
    var simulation = SimulatedPool(workers: 2)
    simulation.pool.reload()
    simulation.act()
    simulation.pool.drain()
    simulation.act()
    #expect(simulation.living.isEmpty)
    #expect(simulation.pool.isEmpty)
  }
}
