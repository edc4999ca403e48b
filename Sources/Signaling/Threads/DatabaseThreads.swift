// The threads on which blocking work is done, each with a backend of its own. All that is done for a
// user goes to the same thread, in order; what is only read may go to any.

import System

final class DatabaseThreads: Sendable {
  let queues: [JobQueue]

  /// - Parameter makeBackend: called once on each thread.
  init(
    name: String, count: Int, makeBackend: @escaping @Sendable () -> any Backend
  ) throws(SystemError) {
    var queues: [JobQueue] = []
    for index in 0..<count {
      queues.append(try JobQueue(name: "\(name)-\(index)", makeBackend: makeBackend))
    }
    self.queues = queues
  }

  /// Jobs that are not done, of all threads.
  var waiting: Int { queues.reduce(0) { $0 + $1.waiting } }

  func submit(for userId: String, _ job: @escaping Job) {
    let index = Int(UInt(bitPattern: userId.hashValue) % UInt(queues.count))
    queues[index].submit(job)
  }

  /// - Parameter thread: counted from 0.
  func submit(to thread: Int, _ job: @escaping Job) { queues[thread].submit(job) }
}
