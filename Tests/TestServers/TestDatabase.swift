// A database of a suite's own on the server that `make test-unit` starts, dropped when the suite is
// through. Without that server the suites are skipped.

import MySQL
import Storage
import System
import Testing

/// The MariaDB or MySQL that `make test-unit` names in the environment.
package enum TestServer {
  private static let environment = processEnvironment()

  package static let socket = environment["TEST_MYSQL_SOCKET"]
  package static let user = environment["TEST_MYSQL_USER"] ?? ""
  package static let password = environment["TEST_MYSQL_PASSWORD"] ?? ""

  /// With time for a machine that stands still.
  package static func options(database: String) -> MySQLOptions {
    var options = MySQLOptions(socket: socket, user: user, password: password, database: database)
    (options.connectTimeoutSeconds, options.readTimeoutSeconds) = (30, 60)
    return options
  }
}

package struct TestDatabase: Sendable {
  @TaskLocal package static var current = TestDatabase(name: "")

  /// `sql/` of this repository.
  package static let sqlFolder =
    #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" } + "/sql"

  package let name: String

  package init(name: String) { self.name = name }

  /// Makes an empty one.
  package static func create() throws -> TestDatabase {
    let database = TestDatabase(
      name: "chattrix_test_" + Randomness.system.hexadecimal(bytes: 8))
    try MySQLConnection(TestServer.options(database: "information_schema")).run(
      "CREATE DATABASE \(database.name) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")
    return database
  }

  package func drop() {
    try? MySQLConnection(TestServer.options(database: "information_schema")).run(
      "DROP DATABASE IF EXISTS \(name)")
  }

  package var options: MySQLOptions { TestServer.options(database: name) }

  /// A connection whose transactions hold what they have locked also while this machine stands still.
  package func connect() throws -> MySQLConnection {
    let connection = try MySQLConnection(options)
    try connection.run(
      """
      SET @kept = 0 /*M!100300 , SESSION idle_transaction_timeout = 0 */
        /*!80000 , SESSION wait_timeout = 3600 */
      """)
    return connection
  }

  @discardableResult
  package func migrate() throws -> [Migration] {
    try Migrations(folder: TestDatabase.sqlFolder).apply(options)
  }
}

package struct TestDatabaseTrait: SuiteTrait, TestScoping {
  fileprivate let hasSchema: Bool

  package func provideScope(
    for test: Test, testCase: Test.Case?, performing body: @Sendable () async throws -> Void
  ) async throws {
    let database = try TestDatabase.create()
    defer { database.drop() }
    if hasSchema { try database.migrate() }
    try await TestDatabase.$current.withValue(database) { try await body() }
  }
}

extension Trait where Self == TestDatabaseTrait {
  /// Makes `TestDatabase.current` for a suite, with the product's tables.
  package static var database: TestDatabaseTrait { TestDatabaseTrait(hasSchema: true) }

  /// Makes `TestDatabase.current` for a suite, with nothing in it.
  package static var emptyDatabase: TestDatabaseTrait { TestDatabaseTrait(hasSchema: false) }

  /// Skips what needs a server where there is none.
  package static var needsServer: ConditionTrait {
    .enabled(if: TestServer.socket != nil, "TEST_MYSQL_SOCKET is not set: make test-unit sets it")
  }
}
