// Where log lines go. A log must never hold up a call: a line that its reader leaves no room for is lost, and
// counted.

import Glibc
import Synchronization

final class LogSink: Sendable {
  private enum Kind { case socket, pipe, file }

  private let descriptor: Int32
  private let kind: Kind
  /// The same pipe or terminal by a file description of this process's own, whose writes do not wait; -1 where there
  /// is none.
  private let own: Int32
  private let lost = Atomic<Int>(0)
  /// The last line that was written has no end.
  private let isTorn = Atomic<Bool>(false)

  /// - Parameter descriptor: Stays open for as long as the sink is used.
  init(_ descriptor: Int32) {
    self.descriptor = descriptor
    var status = stat()
    kind =
      switch fstat(descriptor, &status) == 0 ? status.st_mode & S_IFMT : S_IFREG {
      case S_IFSOCK: .socket  // journald's
      case S_IFIFO, S_IFCHR: .pipe
      default: .file
      }
    own = kind == .pipe ? Self.opened(descriptor) : -1
  }

  deinit { if own >= 0 { close(own) } }

  /// Opens what a descriptor stands for once more. The description behind the descriptor itself is shared with
  /// other processes, so that cannot be made non-blocking (open(2)).
  private static func opened(_ descriptor: Int32) -> Int32 {
    let flags = O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY | O_APPEND
    return open("/proc/self/fd/\(descriptor)", flags)
  }

  /// In one write where that is possible, so that lines of several processes do not mix.
  /// - Parameter notice: Makes the line that says how many were lost, which precedes the first that is written again.
  func write(_ line: [UInt8], notice: (Int) -> [UInt8]) {
    if lost.load(ordering: .relaxed) > 0 { tell(lost.exchange(0, ordering: .relaxed), notice) }
    if !put(line) { lost.add(1, ordering: .relaxed) }
  }

  private func tell(_ count: Int, _ notice: (Int) -> [UInt8]) {
    let wasTorn = isTorn.exchange(false, ordering: .relaxed)
    if put((wasTorn ? [UInt8(ascii: "\n")] : []) + notice(count)) { return }
    lost.add(count, ordering: .relaxed)
    if wasTorn { isTorn.store(true, ordering: .relaxed) }
  }

  /// - Returns: false where the line, or its end, is lost.
  private func put(_ line: [UInt8]) -> Bool {
    line.withUnsafeBytes { bytes in
      switch kind {
      case .socket:
        let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
        return send(descriptor, bytes.baseAddress, bytes.count, flags) == bytes.count
      case .pipe: return putIntoPipe(bytes)
      case .file: return Glibc.write(descriptor, bytes.baseAddress, bytes.count) == bytes.count
      }
    }
  }

  /// A pipe takes PIPE_BUF bytes whole or not at all, and mixes no less than those with others' (pipe(7)). It is
  /// asked beforehand whether it has room and a reader. Where it could not be opened once more (it is another
  /// account's), another process may be faster, and then the write waits.
  private func putIntoPipe(_ line: UnsafeRawBufferPointer) -> Bool {
    let target = own < 0 ? descriptor : own
    var rest = line[...]
    while !rest.isEmpty {
      let part = UnsafeRawBufferPointer(rebasing: rest.prefix(Int(PIPE_BUF)))
      let count = isReady() ? Glibc.write(target, part.baseAddress, part.count) : 0
      guard count > 0 else {
        if rest.count < line.count { isTorn.store(true, ordering: .relaxed) }
        return false
      }
      rest = rest.dropFirst(count)
    }
    return true
  }

  private func isReady() -> Bool {
    var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    // POLLERR: the reader has gone, and a write would raise SIGPIPE.
    return poll(&waiting, 1, 0) > 0 && waiting.revents & Int16(POLLOUT | POLLERR) == Int16(POLLOUT)
  }
}
