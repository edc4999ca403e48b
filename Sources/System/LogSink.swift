// Where log lines go. A log must never hold up a call: what its reader leaves no room for is lost.

import Glibc

struct LogSink: Sendable {
  private enum Kind { case socket, pipe, file }

  private let descriptor: Int32
  private let kind: Kind

  init(_ descriptor: Int32) {
    self.descriptor = descriptor
    var status = stat()
    kind =
      switch fstat(descriptor, &status) == 0 ? status.st_mode & S_IFMT : S_IFREG {
      case S_IFSOCK: .socket  // journald's
      case S_IFIFO: .pipe
      default: .file
      }
  }

  /// In one write where that is possible, so that lines of several processes do not mix.
  func write(_ line: UnsafeRawBufferPointer) {
    switch kind {
    case .socket:
      _ = send(descriptor, line.baseAddress, line.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
    case .pipe: writeToPipe(line)
    case .file: _ = Glibc.write(descriptor, line.baseAddress, line.count)
    }
  }

  /// The descriptor is shared with other processes, so it cannot be made non-blocking. A pipe that is
  /// ready takes PIPE_BUF bytes at once, and mixes no less than those with others' (pipe(7)).
  private func writeToPipe(_ line: UnsafeRawBufferPointer) {
    var rest = line[...]
    while !rest.isEmpty {
      var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      guard poll(&waiting, 1, 0) > 0, waiting.revents & Int16(POLLOUT) != 0 else { return }
      let part = UnsafeRawBufferPointer(rebasing: rest.prefix(Int(PIPE_BUF)))
      let count = Glibc.write(descriptor, part.baseAddress, part.count)
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }
}
