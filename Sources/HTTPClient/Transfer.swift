// One step on a non-blocking socket, and the wait between two of them.

import Glibc
import System

enum Transfer {
  /// As many bytes; 0 of a read is the end of the stream.
  case done(Int)
  /// To be tried again when poll(2) says so.
  case wants(Int32)
  case failed(HTTPClientError)
}

/// Repeats a step until it is done or the time is over, also where it never has to wait: a far side that
/// sends without an end does not hold the thread.
func perform(
  on socket: Int32, until deadline: Deadline, phase: HTTPClientError.Phase, _ step: () -> Transfer
) throws(HTTPClientError) -> Int {
  while true {
    if deadline.hasPassed { throw .timedOut(phase) }
    switch step() {
    case .done(let count): return count
    case .wants(let events): _ = isReady(socket, for: events, until: deadline)
    case .failed(let error): throw error
    }
  }
}

/// - Returns: Whether the socket is ready, or has failed, before the time is over.
func isReady(_ socket: Int32, for events: Int32, until deadline: Deadline) -> Bool {
  var waiting = pollfd(fd: socket, events: Int16(events), revents: 0)
  while true {
    let count = poll(&waiting, 1, deadline.remainingMilliseconds)
    if count >= 0 || errno != EINTR { return count != 0 }
  }
}
