// A database of a suite's own on the server that `make test-unit` starts, dropped when the suite is
// through. Without that server the suites are skipped.

import Glibc
import MySQL
import System
import Testing

enum TestServer {
  private static let environment = processEnvironment()

  static let isThere = environment["TEST_MYSQL_SOCKET"] != nil

  static func options(database: String) -> MySQLOptions {
    MySQLOptions(
      socket: environment["TEST_MYSQL_SOCKET"], user: environment["TEST_MYSQL_USER"] ?? "",
      password: environment["TEST_MYSQL_PASSWORD"] ?? "", database: database)
  }
}

struct TestDatabase: Sendable {
  @TaskLocal static var current = TestDatabase(name: "")

  let name: String

  var options: MySQLOptions { TestServer.options(database: name) }

  func connect() throws -> MySQLConnection { try MySQLConnection(options) }
}

extension Trait where Self == TestDatabaseTrait {
  /// Makes `TestDatabase.current` for a suite.
  static var database: TestDatabaseTrait { TestDatabaseTrait() }

  /// Skips what needs a server where there is none.
  static var needsServer: ConditionTrait {
    .enabled(if: TestServer.isThere, "TEST_MYSQL_SOCKET is not set: make test-unit sets it")
  }
}

struct TestDatabaseTrait: SuiteTrait, TestScoping {
  func provideScope(
    for test: Test, testCase: Test.Case?,
    performing body: @Sendable () async throws -> Void
  ) async throws {
    let name = "chattrix_test_" + Randomness.system.hexadecimal(bytes: 8)
    let root = try MySQLConnection(TestServer.options(database: "information_schema"))
    try root.run("CREATE DATABASE \(name) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")
    defer { try? root.run("DROP DATABASE \(name)") }
    try await TestDatabase.$current.withValue(TestDatabase(name: name)) { try await body() }
  }
}

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
