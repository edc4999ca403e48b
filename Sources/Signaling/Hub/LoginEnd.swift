// The end of a connection's login as the threads see it that carry out its commands: it moves when the login is
// renewed meanwhile.

import Synchronization
import System

final class LoginEnd: Sendable {
  private let milliseconds: Atomic<Int64>

  /// - Parameter end: nil for a login that does not end.
  init(_ end: Timestamp?) { milliseconds = Atomic(end?.milliseconds ?? .max) }

  func set(_ end: Timestamp?) {
    milliseconds.store(end?.milliseconds ?? .max, ordering: .relaxed)
  }

  func hasPassed(at now: Timestamp) -> Bool {
    milliseconds.load(ordering: .relaxed) <= now.milliseconds
  }
}
