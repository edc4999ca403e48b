// Work for one thread with a backend of its own, in order. It holds no more than the event loop lets
// in: one fetch a user, a few openings at a time, and the commands that the rate limit allows.

import Synchronization
import System

typealias Job = @Sendable (any Backend) -> Void

final class JobQueue: Sendable {
  private let jobs: Inbox<Job>
  private let unfinished = Atomic<Int>(0)

  private init() throws(SystemError) { jobs = try Inbox(waits: true) }

  /// Starts the thread.
  /// - Parameter makeBackend: called once, on it.
  static func start(
    name: String, makeBackend: @escaping @Sendable () -> any Backend
  ) throws(SystemError) -> JobQueue {
    let queue = try JobQueue()
    _ = try Thread.start(name: name) {
      let backend = makeBackend()
      while true {
        for job in queue.jobs.take() {
          job(backend)
          queue.unfinished.subtract(1, ordering: .relaxed)
        }
      }
    }
    return queue
  }

  /// Jobs that are not done, the one in hand included.
  var waiting: Int { unfinished.load(ordering: .relaxed) }

  func submit(_ job: @escaping Job) {
    unfinished.add(1, ordering: .relaxed)
    jobs.post(job)
  }
}
