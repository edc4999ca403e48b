// The words of a command line: operands in their order, and `--name value` or `--name=value`.

struct Arguments {
  private(set) var operands: [String] = []
  private var options: [String: String] = [:]
  private var flags: Set<String> = []

  /// - Parameters:
  ///   - valued: Options that take a value, without their dashes.
  ///   - flags: Those that take none; `json` and `help` are always among them.
  /// - Throws: `UsageError`.
  init(_ words: [String], valued: Set<String> = [], flags known: Set<String> = []) throws {
    var rest = words[...]
    while let word = rest.popFirst() {
      guard word.hasPrefix("--"), word != "--" else {
        operands.append(word)
        continue
      }
      let parts = word.dropFirst(2).split(separator: "=", maxSplits: 1).map(String.init)
      let name = parts.first ?? ""
      if valued.contains(name) {
        guard let value = parts.count == 2 ? parts[1] : rest.popFirst() else {
          throw UsageError("--\(name) takes a value")
        }
        options[name] = value
      } else if known.union(["json", "help"]).contains(name), parts.count == 1 {
        flags.insert(name)
      } else {
        throw UsageError("unknown option --\(name)")
      }
    }
  }

  subscript(_ option: String) -> String? { options[option] }

  func has(_ flag: String) -> Bool { flags.contains(flag) }

  /// - Throws: `UsageError` where it is no whole number within `range`.
  func number(_ option: String, in range: ClosedRange<Int>, standard: Int) throws -> Int {
    guard let text = options[option] else { return standard }
    guard let number = Int(text), range.contains(number) else {
      throw UsageError(
        "--\(option) must be a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  /// - Throws: `UsageError` unless there are exactly as many operands as names.
  func exactly(_ names: String...) throws -> [String] {
    guard operands.count == names.count else {
      throw UsageError("expected \(names.isEmpty ? "no operands" : names.joined(separator: " "))")
    }
    return operands
  }

  /// - Throws: `UsageError` where there is more than one operand.
  func atMostOne(_ name: String) throws -> String? {
    guard operands.count < 2 else { throw UsageError("expected at most one \(name)") }
    return operands.first
  }
}

struct UsageError: Error {
  let message: String
  init(_ message: String) { self.message = message }
}
