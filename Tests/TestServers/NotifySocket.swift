// Where systemd would listen to what a service tells it (sd_notify(3)).

import Glibc
import System

/// Where systemd would listen.
package struct NotifySocket: ~Copyable {
  package let descriptor: Descriptor

  /// - Parameter name: As in `sun_path`: an abstract one begins with NUL.
  package init(_ name: [UInt8]) throws {
    let descriptor = Descriptor(socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0))
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
    let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
    let code = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor.raw, $0, length) }
    }
    guard code == 0 else { throw SystemError(call: "bind") }
    self.descriptor = descriptor
  }

  package var next: String {
    var buffer = [UInt8](repeating: 0, count: 512)
    let count = recv(descriptor.raw, &buffer, buffer.count, Int32(MSG_DONTWAIT))
    return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
  }
}
