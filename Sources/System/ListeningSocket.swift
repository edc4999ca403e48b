// A socket to accept on: bound here, or handed over by systemd (sd_listen_fds(3)), which then keeps
// those who connect waiting while the program is restarted.

import CLinux
import Glibc

package final class ListeningSocket {
  package let descriptor: Descriptor
  /// What it is called in the log.
  package let name: String

  /// Its path and file, where it was made here and is a Unix socket.
  private let path: (text: String, device: dev_t, inode: ino_t)?

  private static let firstPassedDescriptor: Int32 = 3

  /// Takes the socket that systemd passes to this process, or else binds `address`. A Unix socket is
  /// for the owner and the group (0660).
  /// - Throws: `SystemError` where the address is taken or systemd passed something else.
  package static func open(
    _ address: SocketAddress, environment: [String: String] = [:]
  ) throws(SystemError) -> ListeningSocket {
    if let passed = environment["LISTEN_FDS"].flatMap({ Int($0) }), passed > 0,
      environment["LISTEN_PID"].flatMap({ pid_t($0) }) == getpid()
    {
      guard passed == 1, isListening(firstPassedDescriptor) else {
        throw SystemError(errno: EINVAL, call: "take one listening stream socket of LISTEN_FDS")
      }
      _ = chattrix_fcntl(firstPassedDescriptor, F_SETFD, FD_CLOEXEC)
      return ListeningSocket(Descriptor(firstPassedDescriptor), name: "systemd", path: nil)
    }
    return ListeningSocket(try listen(on: address), address)
  }

  private init(
    _ descriptor: consuming Descriptor, name: String,
    path: (text: String, device: dev_t, inode: ino_t)?
  ) {
    self.descriptor = descriptor
    self.name = name
    self.path = path
  }

  private convenience init(_ descriptor: consuming Descriptor, _ address: SocketAddress) {
    var status = stat()
    if case .unix(let path) = address, lstat(path, &status) == 0 {
      self.init(
        descriptor, name: address.description, path: (path, status.st_dev, status.st_ino))
    } else {
      self.init(descriptor, name: address.description, path: nil)
    }
  }

  /// Whether those who connect come by TCP.
  package var isTCP: Bool {
    get throws(SystemError) {
      var domain: Int32 = 0
      var size = socklen_t(MemoryLayout<Int32>.size)
      try retryingInterrupts("getsockopt") {
        getsockopt(descriptor.raw, SOL_SOCKET, SO_DOMAIN, &domain, &size)
      }
      return domain != AF_UNIX
    }
  }

  private static func isListening(_ raw: Int32) -> Bool {
    var isListening: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    return getsockopt(raw, SOL_SOCKET, SO_ACCEPTCONN, &isListening, &size) == 0 && isListening != 0
  }

  /// Removes the path, unless another process has put its own socket there by now.
  package func removePath() {
    guard let path else { return }
    var status = stat()
    if lstat(path.text, &status) == 0, status.st_dev == path.device, status.st_ino == path.inode {
      unlink(path.text)
    }
  }
}
