// One migration file, statement by statement, from the first or from where a run before was cut off.
//
// A statement that defines commits by itself in MySQL and MariaDB, so that its record can only be written after it. It
// is recorded as begun before, and a run that finds one repeats it: either it was not done, or the server refuses the
// repetition, as what it makes is there or what it drops is gone. Both servers do such a statement in full or not at
// all (MySQL 8.0 Reference Manual, 15.1.1 "Atomic Data Definition Statement Support"; MariaDB 10.6, "Atomic DDL").

import MySQL

/// What a run of `Migrations.apply` tells of itself.
package enum MigrationStep {
  /// It goes on behind the statements that are done.
  case resumed(MigrationProgress, next: String?)
  /// A statement is recorded as begun.
  case begun(MigrationProgress)
  /// A statement has been executed, and its record is not written. Of a change: the transaction is open.
  case executed(MigrationProgress)
  /// The statement that may have been done was: the server's refusal to repeat it says so.
  case found(MigrationProgress, MySQLError)
  /// One more statement is done.
  case recorded(MigrationProgress)
  /// The next statement has failed, and can be repeated.
  case stopped(MigrationProgress, next: String)
}

struct MigrationRun {
  let migration: Migration
  let connection: MySQLConnection
  /// Throws where this program may not go on.
  let check: () throws -> Void
  let report: (MigrationStep) throws -> Void

  /// - Throws: `MySQLError`, `MigrationError`, and what `check` and `report` throw.
  func complete() throws {
    var progress = try resume() ?? begin()
    for statement in migration.statements[progress.done...] {
      try check()
      do { try perform(statement, &progress) } catch {
        try? report(.stopped(progress, next: statement.headline))
        throw error
      }
      try report(.recorded(progress))
    }
    try progress.finish(connection)
  }

  private func begin() throws -> MigrationProgress {
    let progress = MigrationProgress(of: migration)
    try progress.insert(connection)
    return progress
  }

  /// - Returns: nil where it has not begun.
  private func resume() throws -> MigrationProgress? {
    let known = try MigrationProgress.all(connection)
    guard let progress = known.first(where: { $0.version == migration.version }) else { return nil }
    guard progress.fits(migration) else {
      throw MigrationError.edited(progress.name, begun: progress.begun)
    }
    let (done, rest) = (
      migration.statements[..<progress.done], migration.statements[progress.done...]
    )
    try report(.resumed(progress, next: rest.first?.headline))
    for statement in done where statement.kind == .setting { try connection.run(statement.text) }
    return progress
  }

  private func perform(_ statement: SQLStatement, _ progress: inout MigrationProgress) throws {
    switch statement.kind {
    case .definition: try define(statement, &progress)
    case .setting:
      try connection.run(statement.text)
      try recordNext(&progress)
    case .change:
      var next = progress
      try connection.transaction {
        try connection.run(statement.text)
        try report(.executed(next))
        try recordNext(&next)
      }
      progress = next
    }
  }

  private func recordNext(_ progress: inout MigrationProgress) throws {
    let count = progress.done + 1
    try progress.record(done: count, begun: count, of: migration, connection)
  }

  private func define(_ statement: SQLStatement, _ progress: inout MigrationProgress) throws {
    let isRepetition = progress.isUncertain
    if !isRepetition {
      try progress.record(
        done: progress.done, begun: progress.done + 1, of: migration, connection)
      try report(.begun(progress))
    }
    do throws(MySQLError) { try connection.run(statement.text) } catch {
      if isRepetition, error.saysDone(statement) {
        try report(.found(progress, error))
      } else {
        // Refused at its first attempt, it has not been done. A repetition that fails for another reason says
        // nothing about the first attempt.
        if !isRepetition, !error.isUnavailable {
          try? progress.record(
            done: progress.done, begun: progress.done, of: migration, connection)
        }
        throw error
      }
    }
    try report(.executed(progress))
    try recordNext(&progress)
  }
}

extension MySQLError {
  /// Whether this is how a server refuses a statement that has been done.
  ///
  /// - Made already: ER_TABLE_EXISTS_ERROR, ER_DUP_FIELDNAME, ER_DUP_KEYNAME, ER_MULTIPLE_PRI_KEY,
  ///   ER_SP_ALREADY_EXISTS, ER_TRG_ALREADY_EXISTS, ER_EVENT_ALREADY_EXISTS, ER_FK_DUP_NAME (MariaDB's
  ///   ER_DUP_CONSTRAINT_NAME) and ER_CHECK_CONSTRAINT_DUP_NAME; of a foreign key also `isForeignKeyThere`.
  /// - Dropped already: ER_BAD_TABLE_ERROR, ER_CANT_DROP_FIELD_OR_KEY, ER_SP_DOES_NOT_EXIST, ER_TRG_DOES_NOT_EXIST,
  ///   ER_EVENT_DOES_NOT_EXIST, ER_CHECK_CONSTRAINT_NOT_FOUND, ER_CONSTRAINT_NOT_FOUND, and MariaDB's
  ///   ER_UNKNOWN_VIEW and ER_UNKNOWN_SEQUENCES.
  /// - Has another name already: ER_NO_SUCH_TABLE, ER_BAD_FIELD_ERROR, ER_KEY_DOES_NOT_EXITS.
  fileprivate func saysDone(_ statement: SQLStatement) -> Bool {
    switch code {
    case 1050, 1060, 1061, 1068, 1304, 1359, 1537, 1826, 3822: true
    case 1051, 1091, 1305, 1360, 1539, 3821, 3940, 4091, 4092: true
    case 1146, 1054, 1176: statement.mentions("RENAME") || statement.mentions("CHANGE")
    default: isForeignKeyThere && statement.mentions("FOREIGN")
    }
  }
}
