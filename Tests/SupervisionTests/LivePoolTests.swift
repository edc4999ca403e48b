// The pool with real processes: a loop as small as can be around it.

import Glibc
import System
import Testing

@testable import Supervision

private struct LivePool: ~Copyable {
  var pool: WorkerPool
  let script: String
  private(set) var living: Set<pid_t> = []
  private(set) var endings: [(exit: ProcessExit, ending: WorkerPool.Ending)] = []

  /// - Parameter script: What a worker runs in a shell.
  init(workers: Int, graceMilliseconds: Int64 = 20_000, script: String) throws {
    var settings = WorkerPool.Settings(workers: workers)
    settings.graceMilliseconds = graceMilliseconds
    pool = WorkerPool(settings)
    self.script = script
    try step()
  }

  deinit { for process in living { kill(process, SIGKILL) } }

  mutating func step() throws {
    reap()
    for action in pool.due(at: MonotonicClock.milliseconds()) {
      switch action {
      case .start(let slot):
        let process = try spawn(
          program: "/bin/sh", arguments: ["-c", script], environment: [],
          standardInput: STDIN_FILENO)
        pool.started(process, slot: slot, at: MonotonicClock.milliseconds())
        living.insert(process)
      case .signal(let process, let signal): kill(process, signal)
      }
    }
  }

  private mutating func reap() {
    for process in living {
      var status: Int32 = 0
      guard waitpid(process, &status, WNOHANG) == process else { continue }
      living.remove(process)
      let exit: ProcessExit =
        status & 0x7F == 0 ? .exited(code: status >> 8 & 0xFF) : .signaled(status & 0x7F)
      if let ending = pool.ended(process, at: MonotonicClock.milliseconds()) {
        endings.append((exit, ending))
      }
    }
  }

  /// Runs until `condition` holds.
  /// - Returns: How long that took, in milliseconds; nil after a minute.
  mutating func run(until condition: (borrowing LivePool) -> Bool) throws -> Int64? {
    let began = MonotonicClock.milliseconds()
    while MonotonicClock.milliseconds() - began < 60_000 {
      try step()
      if condition(self) { return MonotonicClock.milliseconds() - began }
      usleep(2_000)
    }
    return nil
  }
}

private func isAsleep(_ process: pid_t) -> Bool {
  let name = try? readFile("/proc/\(process)/comm", limit: 100)
  return name == Array("sleep\n".utf8)
}

private let patient = "exec sleep 1000"
private let deaf = "trap '' TERM; exec sleep 1000"

@Suite(.serialized) struct LivePoolTests {
  @Test("A killed worker is replaced at once")
  func replaced() throws {
    var live = try LivePool(workers: 3, script: patient)
    let victim = try #require(live.living.first)
    kill(victim, SIGKILL)
    #expect(try live.run { !$0.living.contains(victim) && $0.living.count == 3 } != nil)
    #expect(live.endings.map(\.exit) == [.signaled(SIGKILL)])
    #expect(live.endings.map(\.ending.delayMilliseconds) == [0])
  }

  @Test("A program that ends at once is started ever more slowly")
  func backsOff() throws {
    var live = try LivePool(workers: 1, script: "exit 3")
    let took = try live.run { $0.endings.count == 5 }
    #expect(try #require(took) >= 0 + 100 + 200 + 400)
    #expect(live.endings.allSatisfy { $0.exit == .exited(code: 3) })
    #expect(live.endings.map(\.ending.delayMilliseconds) == [0, 100, 200, 400, 800])
  }

  @Test("A reload replaces every worker")
  func reloads() throws {
    var live = try LivePool(workers: 2, script: patient)
    let old = live.living
    live.pool.reload()
    #expect(try live.run { $0.living.isDisjoint(with: old) && $0.living.count == 2 } != nil)
    #expect(live.endings.allSatisfy { $0.ending.wasAskedTo })
  }

  @Test("A drain ends workers that hear SIGTERM at once")
  func drains() throws {
    var live = try LivePool(workers: 2, script: patient)
    live.pool.drain()
    #expect(try live.run { $0.pool.isEmpty } != nil)
    // After the grace it would have been SIGKILL.
    #expect(live.endings.allSatisfy { $0.exit == .signaled(SIGTERM) })
  }

  @Test("A worker that ignores SIGTERM is killed after the grace")
  func escalates() throws {
    var live = try LivePool(workers: 2, graceMilliseconds: 700, script: deaf)
    // The shells have set their traps before they become that.
    #expect(try live.run { $0.living.allSatisfy(isAsleep) } != nil)
    live.pool.drain()
    let took = try #require(try live.run { $0.pool.isEmpty })
    #expect(took >= 700)
    #expect(live.endings.map(\.exit) == [.signaled(SIGKILL), .signaled(SIGKILL)])
  }
}
