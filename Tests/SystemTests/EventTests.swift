// Descriptors that carry events, and the loop that waits for them.

import CLinux
import Glibc
import Synchronization
import System
import Testing

@Suite(.serialized) struct EventTests {
  /// The tags that are ready within a time.
  private func ready(_ epoll: inout Epoll, _ milliseconds: Int32 = 0) throws -> [UInt64] {
    var tags: [UInt64] = []
    try epoll.wait(timeoutMilliseconds: milliseconds) { tag, _ in tags.append(tag) }
    return tags.sorted()
  }

  @Test func anEventWakesALoopUntilItIsDrained() throws {
    var epoll = try Epoll()
    let event = try EventDescriptor()
    try epoll.add(event.descriptor.raw, .read, tag: UInt64.max)
    #expect(try ready(&epoll) == [])
    #expect(event.drain() == 0)
    event.signal()
    event.signal()
    #expect(try ready(&epoll, 1000) == [UInt64.max])
    #expect(try ready(&epoll) == [UInt64.max])
    #expect(event.drain() == 2)
    #expect(try ready(&epoll) == [])
    epoll.remove(event.descriptor.raw)
    event.signal()
    #expect(try ready(&epoll) == [])
  }

  @Test func anEventFromAnotherThreadWakesAWaitingLoop() throws {
    var epoll = try Epoll()
    let event = try EventDescriptor()
    try epoll.add(event.descriptor.raw, .read, tag: 7)
    let raw = event.descriptor.raw
    let thread = try Thread.start(name: "signal") {
      usleep(50_000)
      var one: UInt64 = 1
      _ = write(raw, &one, 8)
    }
    let started = MonotonicClock.milliseconds()
    #expect(try ready(&epoll, 120_000) == [7])
    #expect(MonotonicClock.milliseconds() - started < 100_000)
    thread.join()
  }

  @Test func aBlockingEventWaits() throws {
    let event = try EventDescriptor(blocking: true)
    let raw = event.descriptor.raw
    let thread = try Thread.start(name: "signal") {
      usleep(30_000)
      var three: UInt64 = 3
      _ = write(raw, &three, 8)
    }
    #expect(event.drain() == 3)
    thread.join()
  }

  @Test func aTimerTicks() throws {
    var epoll = try Epoll()
    let started = MonotonicClock.milliseconds()
    let timer = try TimerDescriptor(intervalMilliseconds: 20)
    try epoll.add(timer.descriptor.raw, .read, tag: 1)
    let atOnce = timer.drain()
    // Whoever is held up for so long here sees a tick already.
    #expect(atOnce == 0 || MonotonicClock.milliseconds() - started >= 20)
    #expect(try ready(&epoll, 60_000) == [1])
    usleep(100_000)
    #expect(timer.drain() >= 4)
    #expect((0..<1000).contains { _ in timer.drain() == 0 })
  }

  @Test func signalsAreRead() throws {
    // Threads receive no signals: this one can be sent to itself and stays pending until it is read.
    let thread = try Thread.start(name: "signals") {
      do {
        let signals = try SignalDescriptor([SIGUSR2])
        #expect(signals.next() == nil)
        pthread_kill(pthread_self(), SIGUSR2)
        #expect(signals.next() == SIGUSR2)
        #expect(signals.next() == nil)
      } catch { Issue.record(error) }
    }
    thread.join()
  }

  @Test func aLoopTellsReadableWritableAndClosed() throws {
    var pair: [Int32] = [0, 0]
    try retryingInterrupts("socketpair") {
      socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair)
    }
    let one = Descriptor(pair[0])
    let other = Descriptor(pair[1])
    var epoll = try Epoll(batch: 1)
    try epoll.add(one.raw, [.read, .write, .peerClosed], tag: 5)
    var seen: Epoll.Interest = []
    try epoll.wait(timeoutMilliseconds: 0) { _, events in seen = events }
    #expect(seen == .write)
    var byte: UInt8 = 1
    _ = write(other.raw, &byte, 1)
    try epoll.wait(timeoutMilliseconds: 0) { _, events in seen = events }
    #expect(seen == [.read, .write])
    try epoll.modify(one.raw, [.read, .peerClosed], tag: 6)
    close(other.release())
    var tags: [UInt64] = []
    try epoll.wait(timeoutMilliseconds: 0) { tag, events in
      tags.append(tag)
      seen = events
    }
    #expect(tags == [6])
    #expect(seen.contains(.peerClosed))
    #expect(throws: SystemError.self) { try epoll.add(-1, .read, tag: 0) }
  }

  @Test func manyDescriptorsComeInBatches() throws {
    var epoll = try Epoll(batch: 8)
    var raw: [Int32] = []
    for tag in 0..<40 {
      let event = eventfd(1, Int32(EFD_CLOEXEC))
      raw.append(event)
      try epoll.add(event, [.read, .edgeTriggered], tag: UInt64(tag))
    }
    defer { for event in raw { close(event) } }
    var tags: [UInt64] = []
    for _ in 0..<5 {
      let batch = try ready(&epoll)
      #expect(batch.count == 8)
      tags += batch
    }
    #expect(Set(tags).count == 40)
    #expect(try ready(&epoll) == [])
  }
}
