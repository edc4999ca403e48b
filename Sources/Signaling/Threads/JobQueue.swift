// Work for one thread, in order. It holds no more than the event loop lets in: one fetch a user, a
// few openings at a time, and the commands that the rate limit allows.

import CLinux
import Glibc
import Synchronization
import System

typealias Job = @Sendable (any Backend) -> Void

final class JobQueue: Sendable {
  private let jobs = Mutex<[Job]>([])
  private let event: EventDescriptor

  init() throws(SystemError) { event = try EventDescriptor() }

  func submit(_ job: @escaping Job) {
    let wasEmpty = jobs.withLock { jobs in
      jobs.append(job)
      return jobs.count == 1
    }
    if wasEmpty { event.signal() }
  }

  /// All that was submitted since the last call; waits for something at most so long.
  /// - Parameter timeoutMilliseconds: -1 waits for as long as it takes.
  func take(timeoutMilliseconds: Int32) -> [Job] {
    var waiting = pollfd(fd: event.descriptor.raw, events: Int16(POLLIN), revents: 0)
    guard poll(&waiting, 1, timeoutMilliseconds) > 0 else { return [] }
    event.drain()
    return jobs.withLock { jobs in
      defer { jobs = [] }
      return jobs
    }
  }
}
