// New connections, and the end of old ones.

import Glibc
import System

extension Server {
  /// Connections that are accepted before others are looked after again.
  private static let acceptBatch = 64

  func accept() {
    guard let listener else { return }
    for _ in 0..<Self.acceptBatch {
      switch listener.accept() {
      case .none: return
      case .full:
        listener.isPaused = true
        epoll.remove(listener.raw)
        return
      case .connection(let descriptor, let tag): open(descriptor, tag)
      }
    }
  }

  private func open(_ descriptor: consuming Descriptor, _ tag: UInt64) {
    guard let handler else { return }
    let connection = handler.makeConnection(descriptor, tag: tag)
    guard (try? epoll.add(connection.raw, .read, tag: tag)) != nil else {
      report(connection)
      return
    }
    table.insert(connection)
    setDeadline(connection, seconds: settings.headSeconds)
  }

  /// After a pause for want of descriptors.
  func resumeAccepting() {
    guard let listener, listener.isPaused else { return }
    listener.isPaused = (try? epoll.add(listener.raw, .read, tag: Port.listener)) == nil
  }

  func setDeadline(_ connection: Connection, seconds: Int) {
    table.setDeadline(connection, tick + UInt32(seconds) * Self.ticksPerSecond)
  }

  /// Tells epoll what the connection waits for.
  func watch(_ connection: Connection) {
    var interest: Epoll.Interest = connection.isPaused ? [] : .read
    if !connection.isDrained { interest.insert(.write) }
    try? epoll.modify(connection.raw, interest, tag: connection.tag)
  }

  /// Tells the handler, once, that nothing more can be sent.
  func report(_ connection: Connection) {
    guard !connection.isReported else { return }
    connection.isReported = true
    handler?.closed(connection)
  }

  /// Ends a connection here and now.
  package func drop(_ connection: Connection) {
    guard table[tag: connection.tag] != nil else { return }
    connection.phase = .draining
    epoll.remove(connection.raw)
    table.remove(connection)
    report(connection)
  }

  func dropAll() {
    for raw in 0..<Int32(table.capacity) {
      if let connection = table[raw] { drop(connection) }
    }
  }

  /// The connection that a tag names, unless it has gone.
  package func connection(_ tag: UInt64) -> Connection? { table[tag: tag] }

  /// The connection that has this descriptor, if any.
  package func connection(at raw: Int32) -> Connection? { table[raw] }

  /// The peer's numeric address; nil for a Unix socket.
  package func peerAddress(_ connection: Connection) -> String? {
    var address = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    return withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
        guard getpeername(connection.raw, raw, &length) == 0, raw.pointee.sa_family != AF_UNIX
        else { return nil }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { host in
          let code = getnameinfo(
            raw, length, host.baseAddress, socklen_t(host.count), nil, 0, NI_NUMERICHOST)
          return code == 0 ? String(cString: host.baseAddress!) : nil
        }
      }
    }
  }
}
