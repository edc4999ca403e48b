// epoll(7): readiness of many descriptors on one thread.

import CLinux
import Glibc

package struct Epoll: ~Copyable {
  /// What a descriptor is, or is to be, ready for.
  package struct Interest: OptionSet, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }
    package static let read = Interest(rawValue: EPOLLIN.rawValue)
    package static let write = Interest(rawValue: EPOLLOUT.rawValue)
    /// The peer has closed its sending side.
    package static let peerClosed = Interest(rawValue: EPOLLRDHUP.rawValue)
    package static let hangUp = Interest(rawValue: EPOLLHUP.rawValue)
    package static let error = Interest(rawValue: EPOLLERR.rawValue)
    package static let edgeTriggered = Interest(rawValue: 1 << 31)
    /// Of the processes that wait for this descriptor, each with an epoll of its own, at least one
    /// is woken, not all of them.
    package static let exclusive = Interest(rawValue: 1 << 28)
  }

  private let descriptor: Descriptor
  private var ready: [epoll_event]

  /// - Parameter batch: How many events one `wait` returns at the most.
  package init(batch: Int = 256) throws(SystemError) {
    descriptor = Descriptor(
      try retryingInterrupts("epoll_create1") { epoll_create1(Int32(EPOLL_CLOEXEC)) })
    ready = Array(repeating: epoll_event(), count: batch)
  }

  /// - Parameter tag: Comes back with each event of this descriptor.
  package func add(_ raw: Int32, _ interest: Interest, tag: UInt64) throws(SystemError) {
    try control(EPOLL_CTL_ADD, raw, interest, tag)
  }

  package func modify(_ raw: Int32, _ interest: Interest, tag: UInt64) throws(SystemError) {
    try control(EPOLL_CTL_MOD, raw, interest, tag)
  }

  package func remove(_ raw: Int32) {
    _ = chattrix_epoll_control(descriptor.raw, EPOLL_CTL_DEL, raw, 0, 0)
  }

  private func control(_ operation: Int32, _ raw: Int32, _ interest: Interest, _ tag: UInt64)
    throws(SystemError)
  {
    try retryingInterrupts("epoll_ctl") {
      chattrix_epoll_control(descriptor.raw, operation, raw, interest.rawValue, tag)
    }
  }

  /// Waits for events and hands each to `body`; a signal ends the wait early.
  /// - Parameter timeoutMilliseconds: -1 waits for as long as it takes.
  package mutating func wait(
    timeoutMilliseconds: Int32, _ body: (_ tag: UInt64, _ events: Interest) -> Void
  ) throws(SystemError) {
    let count = epoll_wait(descriptor.raw, &ready, Int32(ready.count), timeoutMilliseconds)
    guard count >= 0 else {
      if errno == EINTR { return }
      throw SystemError(call: "epoll_wait")
    }
    for index in 0..<Int(count) {
      let tag = withUnsafePointer(to: &ready[index]) { chattrix_epoll_tag($0) }
      body(tag, Interest(rawValue: ready[index].events))
    }
  }
}
