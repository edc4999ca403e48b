// A POSIX thread for work that blocks (a database, Redis, a sweep), beside a program's event loop.

import CLinux
import Glibc
import Synchronization

package final class Thread: Sendable {
  private let handle: pthread_t
  private let isJoined = Atomic<Bool>(false)

  private init(handle: pthread_t) { self.handle = handle }

  /// A thread that nobody can wait for any more gives back its stack by itself when it ends.
  deinit {
    if !isJoined.load(ordering: .relaxed) { pthread_detach(handle) }
  }

  private final class Start {
    let name: String
    let body: @Sendable () -> Void
    init(name: String, body: @escaping @Sendable () -> Void) {
      self.name = name
      self.body = body
    }
  }

  /// Starts `body` on a thread that receives no signals: those belong to the main thread.
  /// - Parameter name: At most 15 characters are kept (pthread_setname_np(3)).
  /// - Throws: `SystemError` where no thread can be had.
  package static func start(name: String, _ body: @escaping @Sendable () -> Void)
    throws(SystemError) -> Thread
  {
    var all = sigset_t()
    var previous = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_BLOCK, &all, &previous)
    defer { pthread_sigmask(SIG_SETMASK, &previous, nil) }
    let start = Unmanaged.passRetained(Start(name: name, body: body))
    var handle = pthread_t()
    let code = pthread_create(
      &handle, nil,
      { argument in
        let start = Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
        pthread_setname_np(pthread_self(), String(start.name.prefix(15)))
        start.body()
        return nil
      }, start.toOpaque())
    guard code == 0 else {
      start.release()
      throw SystemError(errno: code, call: "pthread_create")
    }
    return Thread(handle: handle)
  }

  /// Waits for the end of the thread; to be called once.
  package func join() {
    isJoined.store(true, ordering: .relaxed)
    pthread_join(handle, nil)
  }

  /// Waits for the end of the thread, but not beyond a moment.
  /// - Returns: Whether it has ended; where it has not, it may be waited for again.
  @discardableResult package func join(before deadline: Deadline) -> Bool {
    // By the clock that may be set: ThreadSanitizer does not see pthread_clockjoin_np(3).
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    let nanoseconds = time.tv_nsec + Int(deadline.remainingMilliseconds) * 1_000_000
    time = timespec(
      tv_sec: time.tv_sec + nanoseconds / 1_000_000_000, tv_nsec: nanoseconds % 1_000_000_000)
    guard pthread_timedjoin_np(handle, nil, &time) == 0 else { return false }
    isJoined.store(true, ordering: .relaxed)
    return true
  }
}
