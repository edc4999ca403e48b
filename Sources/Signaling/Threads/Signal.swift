// Raised once by one thread and waited for by another.

import Glibc
import System

final class Signal: Sendable {
  private let event: EventDescriptor

  init() throws(SystemError) { event = try EventDescriptor() }

  func raise() { event.signal() }

  /// - Returns: Whether it has been raised.
  @discardableResult func wait(milliseconds: Int32) -> Bool {
    var waiting = pollfd(fd: event.descriptor.raw, events: Int16(POLLIN), revents: 0)
    return poll(&waiting, 1, milliseconds) > 0
  }
}
