// What `chattrix-ctl` can be told, and how each command is written.

struct Command: Sendable {
  /// `calls end`, say: one or two words.
  let name: String
  let synopsis: String
  let summary: String
  /// What its own help says besides.
  var details = ""
  var valued: Set<String> = []
  var flags: Set<String> = []
  let run: @Sendable (Arguments, Session) throws -> Void

  static let all: [Command] =
    [Doctor.command] + SystemCommands.all + CallCommands.all + RecordCommands.all
    + PeopleCommands.all
    + WebhookCommands.all

  static func find(_ words: [String]) -> (command: Command, rest: [String])? {
    for length in [2, 1] where words.count >= length {
      let name = words[..<length].joined(separator: " ")
      if let command = all.first(where: { $0.name == name }) {
        return (command, Array(words.dropFirst(length)))
      }
    }
    return nil
  }

  static var help: String {
    let width = all.map(\.synopsis.count).max() ?? 0
    let lines = all.map {
      "  " + $0.synopsis + String(repeating: " ", count: width - $0.synopsis.count + 2) + $0.summary
    }
    return """
      Usage: chattrix-ctl COMMAND [OPTIONS]

      \(lines.joined(separator: "\n"))

      Every command knows --help, and those that print know --json. Settings come from the
      environment, as for the other programs. `chattrix-ctl --version` prints the version.
      Exit status: 0 done, 1 failed, 64 wrong usage, 69 the database is away, 78 configuration.

      """
  }
}
