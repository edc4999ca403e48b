// Threads, joined and left to themselves.

import Glibc
import Synchronization
import System
import Testing

@Suite struct ThreadTests {
  @Test func joinWaitsForTheEnd() throws {
    let counter = Counter()
    let threads = try (0..<8).map { _ in
      try Thread.start(name: "a name of more than fifteen") {
        usleep(2000)
        counter.count.add(1, ordering: .relaxed)
      }
    }
    for thread in threads { thread.join() }
    #expect(counter.count.load(ordering: .relaxed) == 8)
  }

  @Test func joinGivesUpAtItsDeadline() throws {
    let gate = try EventDescriptor(blocking: true)
    let raw = gate.descriptor.raw
    let thread = try Thread.start(name: "held up") {
      var count: UInt64 = 0
      _ = read(raw, &count, 8)
    }
    #expect(!thread.join(before: Deadline(milliseconds: 20)))
    #expect(!thread.join(before: Deadline(milliseconds: 0)))
    gate.signal()
    #expect(thread.join(before: Deadline(milliseconds: 30_000)))
  }

  /// A stack has eight megabytes of the address space.
  @Test func whatIsNotJoinedIsGivenBack() throws {
    let counter = Counter()
    let before = try addressSpaceKilobytes()
    for number in 1...200 {
      _ = try Thread.start(name: "alone") { counter.count.add(1, ordering: .relaxed) }
      while counter.count.load(ordering: .relaxed) < number { usleep(100) }
    }
    #expect(try addressSpaceKilobytes() - before < 100 * 8192)
  }

  private func addressSpaceKilobytes() throws -> Int {
    let status = String(decoding: try readFile("/proc/self/status", limit: 100_000), as: UTF8.self)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmSize:") })
    return try #require(Int(line.filter(\.isNumber)))
  }
}

private final class Counter: Sendable {
  let count = Atomic<Int>(0)
}
