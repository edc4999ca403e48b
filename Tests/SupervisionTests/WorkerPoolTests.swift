import Glibc
import Testing

@testable import Supervision

@Suite struct WorkerPoolTests {
  @Test("The pool starts with as many workers as it is to have")
  func start() {
    let simulation = SimulatedPool(workers: 4)
    #expect(simulation.processes == [100, 101, 102, 103])
    #expect(simulation.pool.running == 4)
    #expect(simulation.pool.nextDue(after: simulation.now) == nil, "and then it sleeps")
  }

  @Test("A worker that dies after a long time is replaced at once, every time")
  func replacedAtOnce() {
    var simulation = SimulatedPool(workers: 2)
    for _ in 0..<10 {
      simulation.run(milliseconds: 30_000)
      let ending = simulation.kill(simulation.processes[0])
      #expect(ending?.delayMilliseconds == 0)
      #expect(ending?.wasAskedTo == false)
      #expect(simulation.living.count == 2)
    }
  }

  @Test("A worker that dies young is replaced at once, then after 0.1 s, 0.2 s … 5 s")
  func backoff() {
    var simulation = SimulatedPool(workers: 1)
    var delays: [Int64] = []
    for _ in 0..<9 {
      let ending = simulation.kill(simulation.processes[0])
      delays.append(ending?.delayMilliseconds ?? -1)
      simulation.run(milliseconds: delays.last!)
      #expect(simulation.living.count == 1)
    }
    #expect(delays == [0, 100, 200, 400, 800, 1600, 3200, 5000, 5000])
    simulation.run(milliseconds: Backoff.youthMilliseconds)
    #expect(simulation.kill(simulation.processes[0])?.delayMilliseconds == 0)
    #expect(simulation.kill(simulation.processes[0])?.delayMilliseconds == 0, "forgotten")
  }

  @Test("A worker that waits for its restart does not hold up the others")
  func backoffIsPerSlot() {
    var simulation = SimulatedPool(workers: 2)
    let spared = simulation.processes[1]
    for _ in 0..<3 {
      simulation.kill(simulation.processes.first { $0 != spared }!)
      simulation.run(milliseconds: 150)
    }
    #expect(simulation.kill(spared)?.delayMilliseconds == 0)
  }

  @Test("A program that never comes up is tried for ever, at most once a second")
  func breaker() {
    var simulation = SimulatedPool(workers: 8)
    simulation.diesAtOnce = true
    for process in simulation.processes { simulation.kill(process) }
    simulation.run(milliseconds: 60_000)
    #expect(simulation.pool.isSlowed(at: simulation.now))
    let before = simulation.starts.count
    simulation.run(milliseconds: 600_000)
    let rate = Double(simulation.starts.count - before) / 600
    #expect(rate > 0.3 && rate <= 1.01, "\(rate) starts a second")
    simulation.diesAtOnce = false
    simulation.run(milliseconds: 70_000)
    #expect(simulation.living.count == 8)
    #expect(!simulation.pool.isSlowed(at: simulation.now))
  }

  @Test("A program that cannot be started is tried again after the back-off")
  func startFails() {
    var pool = WorkerPool(WorkerPool.Settings(workers: 1))
    #expect(pool.due(at: 0) == [.start(slot: 0)])
    #expect(pool.startFailed(slot: 0, at: 0) == 0)
    #expect(pool.due(at: 0) == [.start(slot: 0)])
    #expect(pool.startFailed(slot: 0, at: 0) == 100)
    #expect(pool.due(at: 99) == [])
    #expect(pool.nextDue(after: 99) == 100)
    #expect(pool.due(at: 100) == [.start(slot: 0)])
  }

  @Test("A worker that has had a request in hand for 35 s hangs, one that began before it does not")
  func hanging() {
    var simulation = SimulatedPool(workers: 3)
    let (pool, since) = (simulation.pool, simulation.now + 1_000)
    // The first has been busy since then; the second is idle; the third's slot has an old time.
    let busySince: (Int) -> Int64? = { [0: since, 2: since - 100_000][$0] }
    func hanging(_ milliseconds: Int64) -> [Int] {
      pool.hanging(at: since + milliseconds, busySince: busySince).map(\.slot)
    }
    #expect(hanging(0).isEmpty)
    #expect(hanging(33_999).isEmpty)
    #expect(hanging(34_000) == [2], "counted from the worker's own start")
    #expect(hanging(35_000) == [0, 2])
    simulation.pool.drain()
    simulation.act()
    #expect(simulation.pool.hanging(at: since + 99_000, busySince: busySince).isEmpty)
  }

  @Test("A drain ends every worker, and then the pool is empty")
  func drain() {
    var simulation = SimulatedPool(workers: 3)
    simulation.pool.drain()
    simulation.act()
    #expect(simulation.signals.map(\.signal) == [SIGTERM, SIGTERM, SIGTERM])
    #expect(simulation.pool.isEmpty)
    #expect(simulation.starts.count == 3)
  }

  @Test("SIGTERM is sent again every 250 ms, and SIGKILL after the grace")
  func escalation() {
    var simulation = SimulatedPool(workers: 1)
    simulation.endsOnTerm = false
    let began = simulation.now
    simulation.pool.drain()
    simulation.act()
    simulation.run(milliseconds: 30_000)
    let terms = simulation.signals.filter { $0.signal == SIGTERM }
    #expect(terms.map { $0.at - began } == Array(stride(from: 0, to: 20_000, by: 250)))
    #expect(simulation.signals.filter { $0.signal == SIGKILL }.map { $0.at - began } == [20_000])
    #expect(simulation.pool.isEmpty)
  }

  @Test("A worker that dies during a drain is not replaced")
  func deathInDrain() {
    var simulation = SimulatedPool(workers: 2)
    simulation.endsOnTerm = false
    simulation.kill(simulation.processes[0])
    simulation.kill(simulation.processes[0])  // now one waits for its restart
    simulation.pool.drain()
    simulation.act()
    for process in simulation.processes { simulation.kill(process) }
    #expect(simulation.pool.isEmpty)
  }

  @Test("Ends of unknown processes mean nothing")
  func foreignProcess() {
    var simulation = SimulatedPool(workers: 1)
    #expect(simulation.kill(1) == nil)
    #expect(simulation.pool.running == 1)
  }

  @Test("Random events leave the pool whole, and never with more than one worker too many")
  func randomEvents() {
    for _ in 0..<200 {
      let workers = Int.random(in: 1...6)
      var simulation = SimulatedPool(workers: workers)
      for _ in 0..<60 {
        switch Int.random(in: 0...9) {
        case 0...3:
          if let process = simulation.processes.randomElement() { simulation.kill(process) }
        case 4: simulation.pool.reload()
        case 5: simulation.diesAtOnce = Int.random(in: 0...3) == 0
        case 6: simulation.endsOnTerm = Bool.random()
        default: simulation.run(milliseconds: Int64.random(in: 0...2000))
        }
        simulation.act()
        #expect(simulation.living.count <= workers + 1)
        #expect(simulation.pool.running <= workers + 1)
      }
      simulation.diesAtOnce = false
      simulation.endsOnTerm = true
      simulation.run(milliseconds: 120_000)
      #expect(simulation.living.count == workers)
      #expect(!simulation.pool.isReloading)
    }
  }
}
