// What the suites ask of a connection beside what the product does.

import Glibc
import MySQL
import Testing

extension MySQLConnection {
  var id: Int64 {
    get throws { try queryRow("SELECT CONNECTION_ID()")?.int(0) ?? 0 }
  }

  /// Ends another connection and waits until the server has forgotten it.
  func kill(_ id: Int64) throws {
    try run("KILL CONNECTION \(id)")
    for _ in 0..<1000 {
      let row = try queryRow(
        "SELECT 1 FROM information_schema.processlist WHERE id = ?", [.int(id)])
      if row == nil { return }
      usleep(2000)
    }
    Issue.record("connection \(id) is still there")
  }
}

/// What `body` throws.
func failure(_ body: () throws -> Void) -> MySQLError? {
  do {
    try body()
    return nil
  } catch { return error as? MySQLError }
}
