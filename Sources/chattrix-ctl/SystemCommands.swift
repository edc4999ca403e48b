// migrate, check-config, jwt, purge.

import Calls
import Configuration
import JWT
import Storage
import System

enum SystemCommands {
  static let all = [
    Command(
      name: "migrate", synopsis: "migrate [--sql FOLDER]",
      summary: "bring the database's schema up to date",
      details: """
        Applies what the database has not seen, statement by statement. Where it was cut off or has failed, run it
        again: it goes on behind the last statement that was done.
        """, valued: ["sql"], run: migrate),
    Command(
      name: "check-config", synopsis: "check-config [--origins FILE]",
      summary: "check the environment's settings, and nginx's origins.conf", valued: ["origins"],
      run: checkConfiguration),
    Command(
      name: "origins", synopsis: "origins",
      summary: "print nginx's origins.conf for ALLOWED_ORIGINS", run: origins),
    Command(
      name: "jwt", synopsis: "jwt --user ID [--ttl SECONDS]",
      summary: "make a bearer token for a trial (needs JWT_SECRET)", valued: ["user", "ttl"],
      run: jwt),
    Command(
      name: "purge", synopsis: "purge",
      summary: "delete what is past its retention (the sweeper does too)", run: purge),
  ]

  private static func migrate(_ arguments: Arguments, _ session: Session) throws {
    _ = try arguments.exactly()
    let folder = try arguments["sql"] ?? Migrations.installedFolder()
    let applied = try Migrations(folder: folder).apply(session.configuration.mysql) { step in
      if let text = text(of: step) { writeOut("chattrix-ctl: \(text)\n", to: 2) }
    }
    session.output.done(
      applied.isEmpty
        ? "The schema is up to date."
        : "Applied " + applied.map(\.name).joined(separator: ", ") + ".")
  }

  /// What an operator is told of a migration; nil for what goes as it should.
  private static func text(of step: MigrationStep) -> String? {
    func count(_ progress: MigrationProgress) -> String {
      "\(progress.done) of the \(progress.statements) statements of \(progress.name) are done"
    }
    switch step {
    case .resumed(let progress, let next):
      return "\(count(progress)); going on" + (next.map { " with \($0)" } ?? "")
    case .found(let progress, let error):
      return "statement \(progress.done + 1) of \(progress.name) had been done (\(error))"
    case .stopped(let progress, let next):
      return "\(count(progress)); stopped at \(next)"
    case .begun, .executed, .recorded: return nil
    }
  }

  private static func checkConfiguration(_ arguments: Arguments, _ session: Session) throws {
    _ = try arguments.exactly()
    let origins = session.configuration.allowedOrigins
    for key in session.configuration.jwt.passedOver {
      writeOut("chattrix-ctl: configuration: passed over: \(key)\n", to: 2)
    }
    let path = arguments["origins"] ?? NginxOrigins.installedPath
    if arguments["origins"] != nil || FileIdentity(path: path) != nil {
      let file = NginxOrigins(String(decoding: try readFile(path, limit: 65_536), as: UTF8.self))
      guard file.fits(origins) else {
        writeOut(
          "chattrix-ctl: configuration: ALLOWED_ORIGINS: \(path) lists other origins; "
            + "`chattrix-ctl origins` prints what it has to say\n", to: 2)
        exitProcess(ConfigurationError.exitStatus)
      }
    }
    session.output.done("The configuration is valid.")
  }

  private static func origins(_ arguments: Arguments, _ session: Session) throws {
    _ = try arguments.exactly()
    writeOut(NginxOrigins.file(for: session.configuration.allowedOrigins))
  }

  private static func jwt(_ arguments: Arguments, _ session: Session) throws {
    _ = try arguments.exactly()
    guard let user = arguments["user"], UserID.isValid(user) else {
      throw UsageError("--user must be a user id of 1 to 64 characters")
    }
    let seconds = try arguments.number("ttl", in: 1...31_536_000, standard: 3600)
    let configuration = session.configuration
    guard let secret = configuration.jwtSecret, let signer = JWTSigner(secret: secret) else {
      throw Failure("There is no JWT_SECRET to sign with.")
    }
    let now = Timestamp.now().seconds
    let token = signer.sign(
      subject: user, issuedAt: now, expiresAt: now + Int64(seconds),
      issuer: configuration.jwtIssuer, audience: configuration.jwtAudience)
    if session.output.isJSON {
      session.output.record([("token", token)])
    } else {
      writeOut(token + "\n")
    }
  }

  private static func purge(_ arguments: Arguments, _ session: Session) throws {
    _ = try arguments.exactly()
    let settings = RetentionSettings(
      qualityDays: session.configuration.qualityRetentionDays,
      auditDays: session.configuration.auditRetentionDays)
    let retention = Retention(session.database, settings)
    var total = 0
    while true {
      let count = try retention.purge(batches: 20)
      total += count
      if count == 0 { break }
    }
    session.output.done("Deleted \(total) rows.")
  }
}
