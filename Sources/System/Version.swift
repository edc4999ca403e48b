// The version of the product. The programs of a release share it; `make deb` and the manual pages read it here.

package enum Version {
  /// Semantic Versioning 2.0.0; CHANGELOG.md has an entry for each.
  package static let number = "1.0.0"

  /// Where `--version` is the first argument, prints the program's name and version, and ends the process with 0.
  /// Called before the configuration is read, so that it needs none.
  package static func printIfAsked(program: String, _ arguments: [String]) {
    guard arguments.dropFirst().first == "--version" else { return }
    writeOut("\(program) \(number)\n")
    exitProcess(0)
  }
}
