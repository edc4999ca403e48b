// Every connection by its descriptor, and beside it, packed, when its time is up: the scan for what
// is overdue reads four bytes a connection and touches none of them.

final class ConnectionTable {
  private var connections: [Connection?] = []
  /// In ticks; 0 is never.
  private var deadlines: [UInt32] = []
  private(set) var count = 0

  /// One more than the highest descriptor ever used.
  var capacity: Int { connections.count }

  subscript(raw: Int32) -> Connection? {
    connections.indices.contains(Int(raw)) ? connections[Int(raw)] : nil
  }

  /// The connection that a tag names, unless it has gone.
  subscript(tag tag: UInt64) -> Connection? {
    guard let connection = self[Self.raw(of: tag)], connection.tag == tag else { return nil }
    return connection
  }

  static func raw(of tag: UInt64) -> Int32 { Int32(truncatingIfNeeded: tag) }

  func insert(_ connection: Connection) {
    let index = Int(connection.raw)
    while connections.count <= index {
      connections.append(nil)
      deadlines.append(0)
    }
    connections[index] = connection
    count += 1
  }

  func remove(_ connection: Connection) {
    connections[Int(connection.raw)] = nil
    deadlines[Int(connection.raw)] = 0
    count -= 1
  }

  func setDeadline(_ connection: Connection, _ tick: UInt32) {
    deadlines[Int(connection.raw)] = tick
  }

  func overdue(at tick: UInt32) -> [Connection] {
    var found: [Connection] = []
    for index in deadlines.indices where deadlines[index] != 0 && deadlines[index] <= tick {
      if let connection = connections[index] { found.append(connection) }
    }
    return found
  }
}
