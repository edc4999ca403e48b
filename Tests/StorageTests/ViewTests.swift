// users and contacts as views over another application's tables: numeric ids, other collations,
// statuses in whichever case (R1.1, design §2).

import Calls
import MySQL
import System
import TestServers
import Testing

@testable import Storage

@Suite(.needsServer) struct ViewTests {
  /// Runs `body` over a database that had tables of its own before it was migrated.
  private func withApplication(_ schema: String, _ body: (Stores) throws -> Void) throws {
    let database = try TestDatabase.create()
    defer { database.drop() }
    let connection = try database.connect()
    for statement in try SQLScript(schema).statements { try connection.run(statement.text) }
    try database.migrate()
    #expect(try database.migrate() == [])
    try body(try Stores(database))
  }

  private func refusal(_ stores: Stores, _ caller: String, _ callee: String) -> CallError? {
    StorageTests.refusal {
      let call = try stores.ring(caller, callee)
      _ = try stores.calls.end(call.id, by: caller, reason: .hangup, from: Origin())
    }
  }

  private let numeric = """
    CREATE TABLE app_user (id BIGINT UNSIGNED PRIMARY KEY AUTO_INCREMENT, login VARCHAR(50),
      display_name VARCHAR(100), photo VARCHAR(200)) CHARACTER SET latin1;
    CREATE TABLE app_friend (owner BIGINT UNSIGNED, friend BIGINT UNSIGNED, state VARCHAR(20),
      PRIMARY KEY (owner, friend)) CHARACTER SET latin1;
    INSERT INTO app_user VALUES (7, 'seven', 'Sörén Seven', NULL), (12, 'twelve', NULL, '/12.png'),
      (9007199254740992, 'even', NULL, NULL), (9007199254740993, 'odd', NULL, NULL),
      (18446744073709551615, 'last', NULL, NULL);
    INSERT INTO app_friend VALUES (7, 12, 'accepted'), (12, 7, 'Accepted'),
      (7, 9007199254740992, 'ACCEPTED'), (7, 18446744073709551615, 'accepted');
    CREATE VIEW users AS
      SELECT id, login AS username, display_name AS full_name, photo AS avatar_url FROM app_user;
    CREATE VIEW contacts AS
      SELECT owner AS user_id, friend AS contact_user_id, state AS status FROM app_friend;
    """

  @Test("R1.1 the migration leaves views alone")
  func viewsStay() throws {
    try withApplication(numeric) { stores throws in
      let views = try stores.connection.query(
        "SELECT table_name FROM information_schema.views WHERE table_schema = DATABASE()")
      #expect(Set(views.map { $0.text(0) }) == ["users", "contacts"])
      #expect(try stores.people.list(limit: 10).map(\.id).contains("12"))
    }
  }

  @Test("R1.1 numeric ids: 12 is called, 012, 12abc and their like are nobody")
  func numericIds() throws {
    try withApplication(numeric) { stores throws in
      let made = try stores.calls.initiate(
        from: "7", to: "12", type: .video, idempotencyKey: nil)
      #expect(made.details.caller == Party(id: "7", name: "Sörén Seven", avatar: nil))
      #expect(made.details.callee == Party(id: "12", name: "twelve", avatar: "/12.png"))
      #expect(try stores.calls.details(made.details.call.id, for: "12").callee.name == "twelve")
      _ = try stores.calls.end(made.details.call.id, by: "7", reason: .hangup, from: Origin())
      for callee in [
        "012", "12abc", "12.0", "+12", " 12", "1.2e1", "0xC", "12\u{A0}", "１２", "-12", "abc", "0",
      ] {
        #expect(refusal(stores, "7", callee) == .notFound(.user), "\(callee)")
        #expect(refusal(stores, callee, "12") == .notFound(.user), "\(callee)")
      }
      #expect(refusal(stores, "12", "7") == nil)
    }
  }

  @Test("R1.1 numeric ids beyond 2⁵³ are not mistaken for their neighbours")
  func wideIds() throws {
    try withApplication(numeric) { stores throws in
      #expect(refusal(stores, "7", "9007199254740992") == nil)
      #expect(refusal(stores, "7", "9007199254740993") == .notContacts)
      #expect(refusal(stores, "7", "18446744073709551615") == nil)
      #expect(refusal(stores, "7", "18446744073709551614") == .notFound(.user))
      #expect(refusal(stores, "9007199254740993", "9007199254740992") == .notContacts)
    }
  }

  /// How MySQL finds the users that a statement joins: by an index, not by a scan of every one.
  private func expectIndex(_ stores: Stores, _ table: String, _ sql: String, _ values: [MySQLValue])
    throws
  {
    let plan = try QueryPlan(stores.connection, sql, values)
    let accesses = plan.steps.filter { [table, "u"].contains($0.table) }.map(\.access)
    #expect(!accesses.isEmpty)
    #expect(accesses.allSatisfy { ["eq_ref", "ref", "const"].contains($0) }, "\(accesses)")
  }

  @Test("R13 a history page finds the names in views of any kind by their index")
  func plans() throws {
    let people = (0..<300).map { "(\($0 + 100), 'user\($0)', NULL, NULL)" }
    let members = (0..<300).map { "('user\($0)', NULL)" }
    for (schema, table, more) in [
      (numeric, "app_user", "INSERT INTO app_user VALUES \(people.joined(separator: ", "))"),
      (worded, "member", "INSERT INTO member VALUES \(members.joined(separator: ", "))"),
    ] {
      try withApplication(schema) { stores throws in
        try stores.connection.run(more)
        let users = try UsersKey(stores.connection)
        for status in [nil, HistoryStatus.missed] {
          var query = HistoryQuery()
          query.status = status
          try expectIndex(
            stores, table, HistorySQL.select(query, users), HistorySQL.values("7", query))
        }
      }
    }
  }

  private let worded = """
    CREATE TABLE member (name VARCHAR(64) PRIMARY KEY, mail VARCHAR(100))
      CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci;
    CREATE TABLE friendship (a VARCHAR(64), b VARCHAR(64), kind ENUM('accepted', 'pending',
      'rejected', 'blocked'), PRIMARY KEY (a, b)) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
    INSERT INTO member VALUES ('Alice', 'a@x'), ('Bob', 'b@x'), ('Résumé', NULL), ('Carol', '');
    INSERT INTO friendship VALUES ('Alice', 'Bob', 'accepted'), ('Alice', 'Résumé', 'accepted'),
      ('alice', 'CAROL', 'accepted'), ('Carol', 'Alice', 'blocked');
    CREATE VIEW users AS
      SELECT name AS id, name AS username, NULL AS full_name, mail AS avatar_url FROM member;
    CREATE VIEW contacts AS SELECT a AS user_id, b AS contact_user_id, kind AS status FROM friendship;
    """

  @Test("R1.1 a collation without case or accents does not make two spellings one user")
  func otherCollation() throws {
    try withApplication(worded) { stores throws in
      let made = try stores.calls.initiate(
        from: "Alice", to: "Bob", type: .audio, idempotencyKey: nil)
      #expect(made.details.callee == Party(id: "Bob", name: "Bob", avatar: "b@x"))
      _ = try stores.calls.end(made.details.call.id, by: "Alice", reason: .hangup, from: Origin())
      for callee in ["bob", "BOB", "Bób", "Bob\u{301}"] {
        #expect(refusal(stores, "Alice", callee) == .notFound(.user), "\(callee)")
      }
      #expect(refusal(stores, "alice", "Bob") == .notFound(.user))
      #expect(refusal(stores, "Alice", "Résumé") == nil)
      #expect(refusal(stores, "Alice", "Resume") == .notFound(.user))
      #expect(refusal(stores, "Alice", "Re\u{301}sume\u{301}") == .notFound(.user))
      #expect(refusal(stores, "Alice", "Carol") == .notContacts, "Carol has blocked Alice")
      #expect(try stores.historyOf("Bob").map(\.remoteUserId) == ["Alice"])
      let page = try stores.page(of: "Bob", HistoryQuery())
      #expect(page.entries.first?.remote?.avatar == "a@x")
    }
  }

  @Test("R1.1 text ids of another kind than ours: GUIDs as CHAR, joined from two tables")
  func guids() throws {
    try withApplication(
      """
      CREATE TABLE account (guid CHAR(36) CHARACTER SET ascii PRIMARY KEY, nick VARCHAR(40));
      CREATE TABLE profile (guid CHAR(36) CHARACTER SET ascii PRIMARY KEY, pic TEXT);
      CREATE TABLE link (a CHAR(36) CHARACTER SET ascii, b CHAR(36) CHARACTER SET ascii, s INT);
      INSERT INTO account VALUES ('0b9e7a1c-1111-4000-8000-000000000001', 'one'),
        ('0b9e7a1c-1111-4000-8000-000000000002', 'two');
      INSERT INTO profile VALUES ('0b9e7a1c-1111-4000-8000-000000000002', 'pic2');
      INSERT INTO link SELECT a.guid, b.guid, 1 FROM account a JOIN account b ON a.guid <> b.guid;
      CREATE VIEW users AS SELECT guid AS id, nick AS username, NULL AS full_name, pic AS avatar_url
        FROM account LEFT JOIN profile USING (guid);
      CREATE VIEW contacts AS SELECT a AS user_id, b AS contact_user_id,
        CASE s WHEN 1 THEN 'ACCEPTED' ELSE 'PENDING' END AS status FROM link;
      """
    ) { stores throws in
      let one = "0b9e7a1c-1111-4000-8000-000000000001"
      let two = "0b9e7a1c-1111-4000-8000-000000000002"
      #expect(refusal(stores, one, two) == nil)
      #expect(refusal(stores, one, two.uppercased()) == .notFound(.user))
      let page = try stores.page(of: one, HistoryQuery())
      #expect(page.entries.first?.remote?.avatar == "pic2")
    }
  }

  @Test("R1.1 the views are only read: nothing is granted on them but SELECT")
  func readOnly() throws {
    try withApplication(
      numeric.replacing(
        "CREATE VIEW users AS", with: "CREATE ALGORITHM = TEMPTABLE VIEW users AS"
      ).replacing(
        "CREATE VIEW contacts AS", with: "CREATE ALGORITHM = TEMPTABLE VIEW contacts AS")
    ) { stores throws in
      // A TEMPTABLE view cannot be written at all.
      #expect(refusal(stores, "7", "12") == nil)
      #expect(throws: MySQLError.self) {
        try stores.people.add(Person(id: "99", username: "x", fullName: nil, avatar: nil))
      }
    }
  }
}
