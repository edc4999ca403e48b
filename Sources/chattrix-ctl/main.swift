// What an operator types: chattrix-ctl COMMAND. Help texts and exit statuses are in Commands.swift.

import MySQL
import System

enum ExitStatus {
  static let failed: Int32 = 1
  /// EX_USAGE and EX_UNAVAILABLE of sysexits.h.
  static let usage: Int32 = 64
  static let unavailable: Int32 = 69
}

func fail(_ message: String, _ status: Int32) -> Never {
  writeOut("chattrix-ctl: \(message)\n", to: 2)
  exitProcess(status)
}

Version.printIfAsked(program: "chattrix-ctl", CommandLine.arguments)
let words = Array(CommandLine.arguments.dropFirst())
guard let (command, rest) = Command.find(words) else {
  let wantsHelp = words.first.map { ["help", "--help", "-h"].contains($0) } ?? false
  writeOut(Command.help, to: wantsHelp ? 1 : 2)
  exitProcess(wantsHelp ? 0 : ExitStatus.usage)
}

do {
  let arguments = try Arguments(rest, valued: command.valued, flags: command.flags)
  if arguments.has("help") {
    let details = command.details.isEmpty ? "" : "\n\(command.details)\n"
    writeOut("Usage: chattrix-ctl \(command.synopsis)\n\n\(command.summary)\n\(details)")
    exitProcess(0)
  }
  try command.run(arguments, Session(output: Output(isJSON: arguments.has("json"))))
} catch let error as UsageError {
  fail("\(error.message)\nUsage: chattrix-ctl \(command.synopsis)", ExitStatus.usage)
} catch let error as Failure {
  fail(error.message, ExitStatus.failed)
} catch let error as MySQLError where error.isUnavailable {
  fail("\(error)", ExitStatus.unavailable)
} catch {
  fail("\(error)", ExitStatus.failed)
}
