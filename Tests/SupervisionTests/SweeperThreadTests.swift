import Glibc
import Supervision
import Synchronization
import System
import Testing

private final class Gate: Sendable {
  let isOpen = Atomic(false)
}

private let silent = Log(program: "test", level: .error, descriptor: -1)

@Suite struct SweeperThreadTests {
  @Test("A tick is a pass; ticks during a pass are one more")
  func passes() throws {
    let sweeper = try SweeperThread(log: silent)
    let gate = Gate()
    try sweeper.start {
      {
        while !gate.isOpen.load(ordering: .relaxed) { usleep(1000) }
        return nil
      }
    }
    sweeper.tick()
    #expect(wait { sweeper.busyMilliseconds(at: MonotonicClock.milliseconds()) != nil } != nil)
    for _ in 0..<5 { sweeper.tick() }
    gate.isOpen.store(true, ordering: .relaxed)
    #expect(wait { sweeper.passes == 2 } != nil)
    usleep(150_000)
    #expect(sweeper.passes == 2)
    #expect(sweeper.busyMilliseconds(at: MonotonicClock.milliseconds()) == nil)
    sweeper.stop()
  }

  @Test("A pass that fails is counted, and the next one waits for a second")
  func failures() throws {
    let sweeper = try SweeperThread(log: silent)
    let began = MonotonicClock.milliseconds()
    try sweeper.start { { throw SystemError(errno: EIO, call: "sweep") } }
    for _ in 0..<20 {
      sweeper.tick()
      usleep(10_000)
    }
    let failures = Int64(sweeper.failures)
    #expect(failures <= 1 + (MonotonicClock.milliseconds() - began) / 1000)
    #expect(
      wait {
        sweeper.tick()
        return sweeper.failures >= 2
      } != nil)
    sweeper.stop()
  }

  @Test("An error is let through when it is new, and then again after the interval")
  func repeatedErrors() {
    var errors = RepeatedError(intervalMilliseconds: 10_000)
    #expect(errors.report("a", at: 0) == 0)
    #expect(errors.report("a", at: 100) == nil)
    #expect(errors.report("a", at: 9_999) == nil)
    #expect(errors.report("a", at: 10_000) == 2)
    #expect(errors.report("b", at: 10_001) == 0)
    #expect(errors.report("a", at: 10_002) == 0)
  }
}
