// What a command works with: the configuration, read when it is first needed, and what hangs on it.

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

  init(output: Output) { self.output = output }

  /// Ends the program with status 78 where the environment is at fault.
  private(set) lazy var configuration = Configuration.loadOrExit(program: "chattrix-ctl")

  private(set) lazy var database = Database(configuration.mysql)

  private(set) lazy var calls = CallStore(
    database,
    settings: CallSettings(
      ringSeconds: configuration.callTimeoutSeconds,
      maximumSeconds: configuration.maximumCallSeconds),
    hints: Hints(redis: RedisConnection(address: configuration.redis)))

  private(set) lazy var people = People(database)
}
