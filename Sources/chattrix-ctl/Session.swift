// What a command works with: the configuration, and what hangs on it, made when it is first needed.

import Configuration
import Redis
import Storage

/// A command could not do what it was asked to; the message is for the operator.
struct Failure: Error {
  let message: String
  init(_ message: String) { self.message = message }
}

final class Session {
  let output: Output

  let configuration: Configuration

  /// Ends the program with status 78 where the environment is at fault: every command checks the
  /// same settings as the other programs do (contract §7.12).
  init(output: Output) {
    self.output = output
    configuration = Configuration.loadOrExit(program: "chattrix-ctl")
  }

  private(set) lazy var database = Database(
    configuration.mysql, recording: configuration.delivery.recording)

  private(set) lazy var hints = Hints(
    redis: RedisConnection(addresses: configuration.redis),
    recording: configuration.delivery.recording)

  private(set) lazy var calls = CallStore(
    database,
    settings: CallSettings(
      ringSeconds: configuration.callTimeoutSeconds,
      maximumSeconds: configuration.maximumCallSeconds),
    hints: hints)

  private(set) lazy var media = MediaStore(
    database, hints: Hints(redis: nil), absenceSeconds: configuration.agoraAbsenceSeconds)

  private(set) lazy var people = People(database)
}
