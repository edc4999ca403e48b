// Work for one thread with a backend of its own, in order. It holds no more than the event loop lets
// in: one fetch a user, a few openings at a time, and the commands that the rate limit allows.

import Synchronization
import System

typealias Job = @Sendable (any Backend) -> Void

final class JobQueue: Sendable {
  let thread: Thread
  private let work: Work

  /// Starts the thread.
  /// - Parameter makeBackend: called once, on it.
  init(
    name: String, makeBackend: @escaping @Sendable () -> any Backend
  ) throws(SystemError) {
    let work = try Work()
    self.work = work
    thread = try Thread.start(name: name) { work.carryOut(with: makeBackend()) }
  }

  /// Jobs that are not done, the one in hand included.
  var waiting: Int { work.unfinished.load(ordering: .relaxed) }

  func submit(_ job: @escaping Job) {
    work.unfinished.add(1, ordering: .relaxed)
    work.jobs.post(job)
  }

  /// Ends the thread, after the jobs that were submitted.
  func end() { work.jobs.post(nil) }

  private final class Work: Sendable {
    /// The last one is nil.
    let jobs: Inbox<Job?>
    let unfinished = Atomic<Int>(0)

    init() throws(SystemError) { jobs = try Inbox(waits: true) }

    func carryOut(with backend: any Backend) {
      while true {
        for job in jobs.take() {
          guard let job else { return }
          job(backend)
          unfinished.subtract(1, ordering: .relaxed)
        }
      }
    }
  }
}
