// A file descriptor that has one owner and is closed with it.

import CLinux
import Glibc

package struct Descriptor: ~Copyable, Sendable {
  package let raw: Int32

  /// Takes over `raw`, which nobody else may close.
  package init(_ raw: Int32) { self.raw = raw }

  deinit { close(raw) }

  /// Gives the descriptor away without closing it.
  package consuming func release() -> Int32 {
    let raw = self.raw
    discard self
    return raw
  }
}

/// Lets calls on a descriptor return EAGAIN instead of waiting (open(2), O_NONBLOCK).
package func setNonBlocking(_ raw: Int32) throws(SystemError) {
  let flags = try retryingInterrupts("fcntl") { chattrix_fcntl(raw, F_GETFL, 0) }
  try retryingInterrupts("fcntl") { chattrix_fcntl(raw, F_SETFL, flags | O_NONBLOCK) }
}
