// A file descriptor that has one owner and is closed with it.

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
