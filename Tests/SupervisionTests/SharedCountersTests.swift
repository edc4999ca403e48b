import Glibc
import System
import Testing

@Suite struct SharedCountersTests {
  @Test("What one mapping counts, another that was attached reads")
  func shared() throws {
    let made = try SharedCounters.create(slots: 3, counters: 10)
    let attached = try SharedCounters.attach(Descriptor(dup(made.descriptor.raw)))
    #expect(attached.slots == 3)
    #expect(attached.counters == 10)
    made.add(2, to: 9, slot: 0)
    attached.add(to: 9, slot: 2)
    attached.store(40, in: 9, slot: 1)
    #expect(made.load(9, slot: 2) == 1)
    #expect(made.sum(9, over: 0..<3) == 43)
    #expect(attached.sum(9, over: 1..<3) == 41)
    #expect(made.sum(8, over: 0..<3) == 0)
  }

  @Test("Slots do not overlap")
  func distinct() throws {
    let counters = try SharedCounters.create(slots: 4, counters: 17)
    for slot in 0..<4 {
      for counter in 0..<17 {
        counters.store(UInt64(slot * 100 + counter), in: counter, slot: slot)
      }
    }
    for slot in 0..<4 {
      for counter in 0..<17 {
        #expect(counters.load(counter, slot: slot) == UInt64(slot * 100 + counter))
      }
    }
  }

  @Test("Sizes out of bounds and descriptors of something else are errors")
  func refused() throws {
    for (slots, counters) in [(0, 1), (1, 0), (-1, 1), (4097, 1), (1, Int.max)] {
      #expect(throws: SystemError.self) {
        _ = try SharedCounters.create(slots: slots, counters: counters)
      }
    }
    #expect(throws: SystemError.self) {
      _ = try SharedCounters.attach(Descriptor(open("/dev/null", O_RDWR)))
    }
    #expect(throws: SystemError.self) {
      _ = try SharedCounters.attach(Descriptor(open("/proc/self/exe", O_RDONLY)))
    }
  }

  @Test("A process that no supervisor started has no counters")
  func noSupervisor() throws {
    #expect(try SupervisorLink.counters([:]) == nil)
    #expect(try SupervisorLink.counters(["CHATTRIX_COUNTERS_FD": "2"]) == nil)
    SupervisorLink.followSupervisor(["CHATTRIX_SUPERVISOR_PID": "1x"])
  }
}
