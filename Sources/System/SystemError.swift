// A failed system call: which one, and errno's value (errno(3)).

import Glibc

package struct SystemError: Error, Equatable, CustomStringConvertible {
  /// errno's value.
  package let errno: Int32
  /// The call that failed, as in `bind /run/chattrix/fastcgi.sock`.
  package let call: String

  package init(errno: Int32 = Glibc.errno, call: String) {
    self.errno = errno
    self.call = call
  }

  /// Whether a time that was given for it was too short.
  package var isTimeOut: Bool { errno == ETIMEDOUT }

  package var description: String { "\(call): \(String(cString: strerror(errno)))" }
}

/// Calls `body` again for as long as a signal interrupts it.
/// - Returns: What the call returned, 0 or more.
/// - Throws: `SystemError` for any other failure.
@discardableResult
package func retryingInterrupts<Result: SignedInteger>(
  _ call: @autoclosure () -> String, _ body: () -> Result
) throws(SystemError) -> Result {
  while true {
    let result = body()
    if result >= 0 { return result }
    let code = errno
    if code != EINTR { throw SystemError(errno: code, call: call()) }
  }
}
