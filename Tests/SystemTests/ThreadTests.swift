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
    let before = try stacks()
    for number in 1...200 {
      _ = try Thread.start(name: "alone") { counter.count.add(1, ordering: .relaxed) }
      while counter.count.load(ordering: .relaxed) < number { usleep(100) }
    }
    #expect(try stacks() - before < 100)
  }

  @Test func theStackOfAThreadIsCounted() throws {
    let gate = try EventDescriptor(blocking: true)
    let raw = gate.descriptor.raw
    let threads = try (0..<100).map { _ in
      try Thread.start(name: "held up") {
        var poll = pollfd(fd: raw, events: Int16(POLLIN), revents: 0)
        _ = Glibc.poll(&poll, 1, -1)
      }
    }
    #expect(try stacks() >= 100)
    gate.signal()
    for thread in threads { thread.join() }
  }

  /// Mappings of a stack's size. Not all of the address space: other tests' threads make malloc reserve more of it.
  private func stacks() throws -> Int {
    let text = String(decoding: try readFile("/proc/self/maps", limit: 10_000_000), as: UTF8.self)
    return text.split(separator: "\n").count { line in
      let ends = line.prefix { $0 != " " }.split(separator: "-").compactMap { Int($0, radix: 16) }
      return ends.count == 2 && abs(ends[1] - ends[0] - 8 << 20) <= 65_536
    }
  }
}

private final class Counter: Sendable {
  let count = Atomic<Int>(0)
}
