// Descriptors that carry events into an epoll loop: a counter that other threads raise
// (eventfd(2)), a periodic timer (timerfd_create(2)) and signals (signalfd(2)).

import CLinux
import Glibc

/// Wakes a loop, or a thread blocked in `wait`, from any thread.
package struct EventDescriptor: ~Copyable, Sendable {
  package let descriptor: Descriptor

  /// - Parameters:
  ///   - blocking: Whether `drain` waits for an event instead of returning at once.
  ///   - semaphore: Whether `drain` takes one event and leaves the others to other threads; it waits then.
  package init(blocking: Bool = false, semaphore: Bool = false) throws(SystemError) {
    let flags =
      Int32(EFD_CLOEXEC) | (blocking || semaphore ? 0 : Int32(EFD_NONBLOCK))
      | (semaphore ? Int32(EFD_SEMAPHORE) : 0)
    descriptor = Descriptor(try retryingInterrupts("eventfd") { eventfd(0, flags) })
  }

  package func signal() {
    var one: UInt64 = 1
    _ = write(descriptor.raw, &one, 8)
  }

  /// Takes all that was signalled since the last call; 0 where there was nothing.
  @discardableResult package func drain() -> UInt64 {
    var count: UInt64 = 0
    return read(descriptor.raw, &count, 8) == 8 ? count : 0
  }
}

/// Ticks at a fixed interval of the monotonic clock.
package struct TimerDescriptor: ~Copyable, Sendable {
  package let descriptor: Descriptor

  /// - Parameter intervalMilliseconds: 1 or more.
  package init(intervalMilliseconds: Int) throws(SystemError) {
    let flags = Int32(TFD_CLOEXEC) | Int32(TFD_NONBLOCK)
    let timer = Descriptor(
      try retryingInterrupts("timerfd_create") { timerfd_create(CLOCK_MONOTONIC, flags) })
    let interval = timespec(
      tv_sec: intervalMilliseconds / 1000, tv_nsec: intervalMilliseconds % 1000 * 1_000_000)
    var setting = itimerspec(it_interval: interval, it_value: interval)
    try retryingInterrupts("timerfd_settime") { timerfd_settime(timer.raw, 0, &setting, nil) }
    descriptor = timer
  }

  /// How often the timer has ticked since the last call; 0 where it has not.
  @discardableResult package func drain() -> UInt64 {
    var count: UInt64 = 0
    return read(descriptor.raw, &count, 8) == 8 ? count : 0
  }
}

/// Signals as bytes to read. They are blocked for the whole process from `init` on; a child must be
/// spawned with an empty mask (`spawn` does).
package struct SignalDescriptor: ~Copyable, Sendable {
  package let descriptor: Descriptor

  package init(_ signals: [Int32]) throws(SystemError) {
    var set = sigset_t()
    sigemptyset(&set)
    for signal in signals { sigaddset(&set, signal) }
    let code = pthread_sigmask(SIG_BLOCK, &set, nil)
    guard code == 0 else { throw SystemError(errno: code, call: "pthread_sigmask") }
    let flags = Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK)
    descriptor = Descriptor(try retryingInterrupts("signalfd") { signalfd(-1, &set, flags) })
  }

  /// The next signal that arrived, or nil.
  package func next() -> Int32? {
    var info = signalfd_siginfo()
    let size = MemoryLayout<signalfd_siginfo>.size
    return read(descriptor.raw, &info, size) == size ? Int32(info.ssi_signo) : nil
  }
}
