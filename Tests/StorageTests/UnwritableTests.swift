// A server that answers and cannot be written, as it is after a fail-over (contract §7.14).

import Calls
import MySQL
import System
import TestServers
import Testing

@testable import Storage

// `read_only` is the server's: Tests/Stack/unit.sh runs this suite when no other one runs.
@Suite(.needsServer, .database, .serialized) struct UnwritableTests {
  private let admin: Stores
  /// As an account that has the rights that README grants and no others.
  private let stores: Stores
  private let user: String

  init() throws {
    admin = try Stores()
    user = "plain_" + Randomness.system.hexadecimal(bytes: 6)
    try admin.connection.run("CREATE USER \(user)@localhost IDENTIFIED BY 'a password'")
    try admin.connection.run("GRANT ALL ON \(TestDatabase.current.name).* TO \(user)@localhost")
    var options = TestDatabase.current.options
    (options.user, options.password) = (user, "a password")
    stores = try Stores(options: options)
  }

  private func whileReadOnly(_ body: () throws -> Void) throws {
    defer { try? admin.connection.run("DROP USER \(user)@localhost") }
    try admin.connection.run("SET GLOBAL read_only = 1")
    defer { try? admin.connection.run("SET GLOBAL read_only = 0") }
    try body()
  }

  private func expectAway(_ body: () throws -> Void) {
    do {
      try body()
      Issue.record("was written")
    } catch { #expect((error as? MySQLError)?.isUnavailable == true, "\(error)") }
  }

  private func connectionId() throws -> Int64 {
    try stores.database.read { try $0.queryRow("SELECT CONNECTION_ID()")?.int(0) ?? 0 }
  }

  @Test("§7.14 what writes finds the database away, reads go on, and afterwards all is well")
  func readOnly() throws {
    let (caller, callee) = try stores.pair()
    let (other, another) = try stores.pair()
    let call = try stores.ring(caller, callee)
    let over = try stores.ring(other, another)
    _ = try stores.calls.end(over.id, by: other, reason: .hangup, from: Origin())
    #expect(stores.database.ping())
    try whileReadOnly { () throws in
      #expect(!stores.database.ping())
      expectAway { _ = try stores.ring(other, another) }
      expectAway { _ = try stores.calls.accept(call.id, by: callee, from: Origin()) }
      expectAway { _ = try stores.calls.end(call.id, by: caller, reason: .hangup, from: Origin()) }
      expectAway { try stores.history.delete(over.id, of: other) }
      expectAway {
        _ = try stores.audit.append(.anything(call), where: .init(statuses: [.initiating]))
      }
      expectAway { try stores.presence.touch([caller]) }
      #expect(try stores.historyOf(other).count == 1)
      #expect(try stores.calls.active(of: caller)?.call.id == call.id)
    }
    #expect(stores.database.ping())
    #expect(try stores.calls.accept(call.id, by: callee, from: Origin()).status == .connecting)
    #expect(
      try stores.calls.end(call.id, by: caller, reason: .hangup, from: Origin()).status == .ended)
    try stores.history.delete(over.id, of: other)
    try Consistency.check(admin.connection, keepsAllHistory: false)
  }

  @Test("§7.14 each attempt is a new connection, which may be another server's")
  func newConnections() throws {
    let (caller, callee) = try stores.pair()
    try whileReadOnly { () throws in
      var ids: Set<Int64> = [try connectionId()]
      for _ in 0..<3 {
        expectAway { _ = try stores.ring(caller, callee) }
        ids.insert(try connectionId())
      }
      #expect(ids.count == 4)
    }
  }

  @Test("§7.14 a refused write is tried once more on a new connection, also where it would commit")
  func refusedOnce() throws {
    _ = admin.database.ping()
    var connections: Set<Int64> = []
    let refusal = "SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1290"
    try whileReadOnly {}
    let runs = try admin.database.change { transaction -> Int in
      connections.insert(
        try transaction.connection.queryRow("SELECT CONNECTION_ID()")?.int(0) ?? 0)
      transaction.state = .committing
      if connections.count == 1 { try transaction.connection.run(refusal) }
      transaction.state = .closed
      return connections.count
    }
    #expect(runs == 2)
  }
}

extension TokenAudit.Entry {
  fileprivate static func anything(_ call: Call) -> TokenAudit.Entry {
    TokenAudit.Entry(
      userId: call.callerId, channelId: call.channelId, action: .generate, role: "publisher",
      oldTokenPrefix: nil, requestId: "request", issuedAt: .now(), expiresAt: .now())
  }
}
