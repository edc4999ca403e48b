// How OpenSSL reads and writes a socket here: by recv(2) and send(2) with MSG_NOSIGNAL. Its own way is
// write(2), by which a closed connection ends the process (SIGPIPE) unless the whole process ignores that.

import CLibSSL
import Glibc

enum SocketBIO {
  /// - Parameter socket: Non-blocking; stays the caller's to close.
  /// - Returns: A BIO that `SSL_set_bio` takes over.
  static func make(_ socket: Int32) -> OpaquePointer? {
    guard let bio = BIO_new(Method.shared.pointer) else { return nil }
    BIO_set_data(bio, UnsafeMutableRawPointer(bitPattern: Int(socket) + 1))
    BIO_set_init(bio, 1)
    return bio
  }

  private static let retryFlags = BIO_FLAGS_READ | BIO_FLAGS_WRITE | BIO_FLAGS_SHOULD_RETRY

  private static func socket(_ bio: OpaquePointer?) -> Int32 {
    Int32(Int(bitPattern: BIO_get_data(bio)) - 1)
  }

  fileprivate static func read(
    _ bio: OpaquePointer?, _ buffer: UnsafeMutableRawPointer?, _ size: Int32
  )
    -> Int32
  {
    BIO_clear_flags(bio, retryFlags | BIO_FLAGS_IN_EOF)
    let count = recv(socket(bio), buffer, Int(size), 0)
    if count == 0 { BIO_set_flags(bio, BIO_FLAGS_IN_EOF) }
    if count < 0, isTemporary(errno) {
      BIO_set_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY)
    }
    return Int32(count)
  }

  fileprivate static func write(_ bio: OpaquePointer?, _ bytes: UnsafeRawPointer?, _ size: Int32)
    -> Int32
  {
    BIO_clear_flags(bio, retryFlags)
    let count = send(socket(bio), bytes, Int(size), Int32(MSG_NOSIGNAL))
    if count < 0, isTemporary(errno) {
      BIO_set_flags(bio, BIO_FLAGS_WRITE | BIO_FLAGS_SHOULD_RETRY)
    }
    return Int32(count)
  }

  fileprivate static func control(_ bio: OpaquePointer?, _ command: Int32) -> Int {
    switch command {
    case BIO_CTRL_FLUSH: 1
    case BIO_CTRL_EOF: BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0
    default: 0
    }
  }

  private static func isTemporary(_ code: Int32) -> Bool { code == EAGAIN || code == EINTR }
}

private struct Method: Sendable {
  /// Unsafe only to the compiler: OpenSSL only reads a `BIO_METHOD` that BIOs are made with (BIO_meth_new(3)), and after
  /// `init`, which runs once, nothing here writes it or gives it back.
  nonisolated(unsafe) let pointer: OpaquePointer?

  static let shared = Method()

  private init() {
    pointer = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket")
    BIO_meth_set_read(pointer) { SocketBIO.read($0, $1, $2) }
    BIO_meth_set_write(pointer) { SocketBIO.write($0, $1, $2) }
    BIO_meth_set_ctrl(pointer) { bio, command, _, _ in SocketBIO.control(bio, command) }
  }
}
