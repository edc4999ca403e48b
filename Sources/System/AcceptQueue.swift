// How many connections wait on a listening socket until they are accepted. TCP's socket says so itself (tcp(7),
// TCP_INFO); of a Unix socket the kernel's diagnostics do (sock_diag(7)).

import CLinux
import Glibc

package enum AcceptQueue {
  /// - Returns: nil where the kernel does not say.
  package static func length(of socket: Int32) -> Int? {
    let length = chattrix_accept_queue_length(socket)
    return length < 0 ? nil : Int(length)
  }
}
