// Migrations that are cut off midway and run again.

import MySQL
import System
import TestServers
import Testing

@testable import Storage

@Suite(.needsServer) struct MigrationCutTests {
  typealias Fixture = MigrationFixture

  /// What only the messages of a run tell.
  private final class Log {
    var resumed: [Int] = []
    var found: [UInt32] = []

    func note(_ step: MigrationStep) {
      if case .resumed(let progress, _) = step { resumed.append(progress.done) }
      if case .found(_, let error) = step { found.append(error.code) }
    }
  }

  @Test(
    "R13.1 the schema, cut off at each of its statements and run again, is as if it had been made in one go",
    arguments: Fixture.Point.allCases)
  func schema(point: Fixture.Point) throws {
    try Fixture.with { whole throws in
      try Fixture.with { cut throws in
        let count = try Migrations(folder: TestDatabase.sqlFolder).files.flatMap(\.statements).count
        try whole.apply(TestDatabase.sqlFolder)
        #expect(try cut.applyCut(TestDatabase.sqlFolder, at: point) == count)
        #expect(try cut.definitions() == whole.definitions())
        #expect(try cut.names() == whole.names())
        #expect(try cut.numbers("SELECT COUNT(*) FROM schema_progress") == [0])
      }
    }
  }

  /// Each kind of statement that a server refuses to repeat, or that may be repeated.
  private static let definitions = """
    CREATE TABLE parent (id INT NOT NULL PRIMARY KEY) ENGINE = InnoDB;
    CREATE TABLE child (id INT NOT NULL, of_parent INT NULL, old INT NULL, gone INT NULL, KEY gone (gone))
      ENGINE = InnoDB;
    ALTER TABLE child ADD COLUMN more INT NULL;
    ALTER TABLE child ADD PRIMARY KEY (id);
    ALTER TABLE child ADD COLUMN two INT NULL, ADD KEY child_two (two), DROP COLUMN gone;
    CREATE INDEX child_parent ON child (of_parent);
    ALTER TABLE child ADD CONSTRAINT child_fk FOREIGN KEY (of_parent) REFERENCES parent (id);
    ALTER TABLE child ADD CONSTRAINT child_more CHECK (more > 0);
    ALTER TABLE child DROP CONSTRAINT child_more;
    ALTER TABLE child DROP FOREIGN KEY child_fk;
    DROP INDEX child_two ON child;
    ALTER TABLE child CHANGE old young INT NULL;
    ALTER TABLE child RENAME COLUMN young TO younger;
    ALTER TABLE child RENAME KEY child_parent TO child_of;
    ALTER TABLE child MODIFY more BIGINT NULL;
    RENAME TABLE child TO kid;
    ALTER TABLE kid RENAME TO grown;
    ALTER TABLE grown DROP PRIMARY KEY;
    CREATE VIEW grown_ids AS SELECT id FROM grown;
    CREATE OR REPLACE VIEW grown_all AS SELECT * FROM grown;
    DROP VIEW grown_ids;
    CREATE TABLE other (n INT);
    DROP TABLE other;
    TRUNCATE TABLE grown;
    """
  private static let trigger = """
    CREATE TRIGGER grown_insert BEFORE INSERT ON grown FOR EACH ROW
    BEGIN SET NEW.two = NEW.id; SET NEW.more = NEW.id; END;
    -- And no more.
    """
  private static let procedure = "CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END"
  private static let event =
    "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO BEGIN DO 1; DO 2; END;"

  @Test(
    "R13.1 a statement that was done and not recorded is found to be done, whatever it defines")
  func gap() throws {
    func fill(_ fixture: Fixture) {
      fixture.write("0001_a.sql", Self.definitions)
      fixture.write("0002_b.sql", Self.trigger)
      fixture.write("0003_c.sql", Self.procedure)
      fixture.write("0004_d.sql", Self.event)
    }
    try Fixture.with { whole throws in
      fill(whole)
      try whole.apply()
      try Fixture.with { cut throws in
        cut.write("0001_a.sql", Self.definitions)
        #expect(try cut.applyCut(at: .executed) == 24)
        for (name, sql) in [
          ("0002_b.sql", Self.trigger), ("0003_c.sql", Self.procedure), ("0004_d.sql", Self.event),
        ] {
          cut.write(name, sql)
          #expect(try cut.applyCut(at: .executed) == 1)
        }
        #expect(try cut.definitions() == whole.definitions())
        #expect(try cut.names() == whole.names())
      }
      for drop in ["TRIGGER grown_insert", "PROCEDURE p", "EVENT e"] {
        whole.write("0005_drop.sql", "DROP \(drop)")
        #expect(try whole.applyCut(at: .executed) == 1)
        try whole.database.connect().run("DELETE FROM schema_migrations WHERE version = 5")
      }
      #expect(try whole.names() == ["0001_a", "0002_b", "0003_c", "0004_d"])
    }
  }

  @Test("a run that goes on says behind which statement, and what it has found to be done")
  func report() throws {
    try Fixture.with { fixture throws in
      fixture.write("0001_a.sql", "CREATE TABLE a (n INT); CREATE TABLE b (n INT);")
      #expect(try fixture.applyCut(at: .executed, limit: 2) == 2)
      let log = Log()
      #expect(try fixture.apply(report: log.note) == ["0001_a"])
      #expect(log.resumed == [1] && log.found == [1050])
      #expect(try fixture.apply(report: log.note) == [])
      #expect(log.resumed == [1])
    }
  }

  @Test("a table of this name that somebody else made is not taken for the migration's, at no run")
  func collision() throws {
    try Fixture.with { fixture throws in
      try fixture.database.connect().run("CREATE TABLE calls (n INT)")
      for _ in 0..<3 {
        #expect { try fixture.apply(TestDatabase.sqlFolder) } throws: {
          ($0 as? MySQLError)?.code == 1050
        }
      }
      try fixture.database.connect().run("DROP TABLE calls")
      let log = Log()
      #expect(try fixture.apply(TestDatabase.sqlFolder, report: log.note) == ["0001_schema"])
      #expect(log.resumed == [2] && log.found == [])
    }
  }

  @Test("only the first statement without a record may have been done")
  func onlyTheFirst() throws {
    try Fixture.with { fixture throws in
      fixture.write("0001_a.sql", "CREATE TABLE a (n INT); CREATE TABLE b (n INT);")
      #expect(try fixture.applyCut(at: .executed, limit: 1) == 1)
      try fixture.database.connect().run("CREATE TABLE b (n INT)")
      #expect { try fixture.apply() } throws: { ($0 as? MySQLError)?.code == 1050 }
      #expect { try fixture.apply() } throws: { ($0 as? MySQLError)?.code == 1050 }
    }
  }

  @Test("a repetition that fails for another reason leaves open whether the statement was done")
  func repetitionFails() throws {
    try Fixture.with { fixture throws in
      fixture.write("0001_a.sql", "CREATE TABLE a (n INT); ALTER TABLE a ADD COLUMN m INT;")
      #expect(try fixture.applyCut(at: .executed, limit: 2) == 2)
      let administrator = try fixture.database.connect()
      try administrator.run("RENAME TABLE a TO away")
      #expect { try fixture.apply() } throws: { ($0 as? MySQLError)?.isTableMissing == true }
      try administrator.run("RENAME TABLE away TO a")
      #expect(try fixture.apply() == ["0001_a"])
    }
  }

  @Test(
    "a file whose statements were edited after they had begun is refused; those that follow may be")
  func edited() throws {
    try Fixture.with { fixture throws in
      let (a, b, c) = (
        "CREATE TABLE a (n INT);", "CREATE TABLE b (n INT);", "CREATE TABLE c (n INT);"
      )
      fixture.write("0001_a.sql", a + b + c)
      #expect(try fixture.applyCut(at: .executed, limit: 2) == 2)
      for edited in [
        a + "CREATE TABLE b (m INT);" + c, "CREATE TABLE a (m INT);" + b, a, b + a + c,
      ] {
        fixture.write("0001_a.sql", edited)
        #expect { try fixture.apply() } throws: {
          if case .edited("0001_a", begun: 2) = $0 as? MigrationError { true } else { false }
        }
      }
      #expect(
        try Set(fixture.definitions().keys) == ["a", "b", "schema_migrations", "schema_progress"])
      fixture.write(
        "0001_a.sql", "-- Comments between statements do not count.\n\(a)\n/* none */ \(b)")
      #expect(try fixture.apply() == ["0001_a"])
    }
  }

  @Test(
    "statements that change rows are done once, wherever the run is cut",
    arguments: [Fixture.Point.executed, .recorded])
  func changes(point: Fixture.Point) throws {
    try Fixture.with { fixture throws in
      fixture.write(
        "0001_a.sql",
        """
        CREATE TABLE log (n INT) ENGINE = InnoDB;
        INSERT INTO log VALUES (1);
        UPDATE log SET n = n + 1;
        ALTER TABLE log ADD COLUMN m INT NULL;
        INSERT INTO log (n) SELECT n + 10 FROM log;
        DELETE FROM log WHERE n = 2;
        """)
      #expect(try fixture.applyCut(at: point) == 6)
      #expect(try fixture.numbers("SELECT n FROM log") == [12])
    }
  }

  @Test("settings of the session are made again before a run goes on")
  func settings() throws {
    try Fixture.with { fixture throws in
      fixture.write(
        "0001_a.sql",
        """
        SET foreign_key_checks = 0;
        CREATE TABLE child (n INT, CONSTRAINT child_n FOREIGN KEY (n) REFERENCES parent (n)) ENGINE = InnoDB;
        CREATE TABLE parent (n INT NOT NULL PRIMARY KEY) ENGINE = InnoDB;
        """)
      #expect(try fixture.applyCut(at: .recorded) == 3)
      #expect(try fixture.names() == ["0001_a"])
    }
  }

  @Test("an installation of before has no table of progress, and gets it with its next migration")
  func installationOfBefore() throws {
    try Fixture.with { fixture throws in
      let administrator = try fixture.database.connect()
      fixture.write("0001_a.sql", "CREATE TABLE a (n INT)")
      try fixture.apply()
      try administrator.run("DROP TABLE schema_progress")
      #expect(try fixture.apply() == [])
      fixture.write("0002_b.sql", "CREATE TABLE b (n INT); CREATE TABLE c (n INT)")
      #expect(try fixture.applyCut(at: .recorded) == 2)
      #expect(try fixture.names() == ["0001_a", "0002_b"])
    }
  }

  @Test("an inspection tells a migration that is under way from one that was cut off")
  func inspection() throws {
    try Fixture.with { fixture throws in
      fixture.write("0001_a.sql", "CREATE TABLE a (n INT); CREATE TABLE b (n INT);")
      let inspection = DatabaseInspection(Database(fixture.database.options))
      let before = try inspection.schema(comparedWith: fixture.folder)
      #expect(before.unfinished == [] && before.pending == ["0001_a"] && !before.isMigrating)
      struct Cut: Error {}
      #expect(throws: Cut.self) {
        try fixture.apply { step in
          guard case .recorded = step else { return }
          let now = try inspection.schema(comparedWith: fixture.folder)
          #expect(now.isMigrating)
          #expect(now.unfinished.map(\.done) == [1] && now.unfinished.map(\.statements) == [2])
          throw Cut()
        }
      }
      let after = try inspection.schema(comparedWith: fixture.folder)
      #expect(after.unfinished.map(\.name) == ["0001_a"] && !after.isMigrating)
      try fixture.apply()
      #expect(try inspection.schema(comparedWith: fixture.folder).unfinished == [])
    }
  }
}
