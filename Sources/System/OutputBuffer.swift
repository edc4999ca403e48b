// Much output, written in large pieces, whose failures count: a disk that is full, a reader that has gone.

import Glibc

package struct OutputBuffer: ~Copyable {
  private let descriptor: Int32
  private var bytes: [UInt8] = []

  private static let pieceBytes = 65_536

  /// - Parameter descriptor: Stays open for as long as the buffer is used.
  package init(descriptor: Int32 = STDOUT_FILENO) { self.descriptor = descriptor }

  /// - Throws: `SystemError`; `hasNoReader` where a pipe's other end is closed.
  package mutating func append(_ more: [UInt8]) throws(SystemError) {
    bytes.append(contentsOf: more)
    if bytes.count >= Self.pieceBytes { try flush() }
  }

  /// To be called at the end, too.
  /// - Throws: `SystemError`.
  package mutating func flush() throws(SystemError) {
    var written = 0
    while written < bytes.count {
      let start = written
      written += try retryingInterrupts("write") {
        bytes.withUnsafeBytes { write(descriptor, $0.baseAddress! + start, $0.count - start) }
      }
    }
    bytes.removeAll(keepingCapacity: true)
  }
}

extension SystemError {
  /// The other end of a pipe or socket is closed.
  package var hasNoReader: Bool { errno == EPIPE }
}

/// A reader that goes away is an error of `write`, and not this process's end.
package func ignoreClosedPipes() { signal(SIGPIPE, SIG_IGN) }
