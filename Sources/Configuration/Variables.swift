// Reads single settings out of the environment, noting every fault on the way (R14.5). A fault names
// the variable and what is wrong with it, never its value: it may be a secret.

import System

struct Variables {
  private let environment: [String: String]
  private(set) var faults: [String] = []

  init(_ environment: [String: String]) { self.environment = environment }

  mutating func fault(_ name: String, _ what: String) { faults.append("\(name): \(what)") }

  /// The value; nil where the variable is not set or empty.
  func optional(_ name: String) -> String? {
    guard let value = environment[name], !value.isEmpty else { return nil }
    return value
  }

  /// The value of what is compared with others', or names something: a blank or a line break at an end
  /// would match nothing.
  mutating func plain(_ name: String) -> String? {
    checkPlain(name)
    return optional(name)
  }

  mutating func checkPlain(_ name: String) {
    guard let value = optional(name) else { return }
    if value.first?.isWhitespace == true || value.last?.isWhitespace == true {
      fault(name, "has a blank or a line break at its beginning or end")
    }
  }

  mutating func required(_ name: String) -> String {
    if let value = optional(name) { return value }
    fault(name, "is required")
    return ""
  }

  /// 32 hexadecimal digits.
  mutating func requiredHexadecimal(_ name: String) -> String {
    let value = required(name)
    let isHexadecimal = value.utf8.allSatisfy {
      (48...57).contains($0) || (97...102).contains($0 | 0x20)
    }
    if !value.isEmpty, value.utf8.count != 32 || !isHexadecimal {
      fault(name, "must be 32 hexadecimal digits")
    }
    return value
  }

  mutating func number(_ name: String, _ range: ClosedRange<Int>, standard: Int) -> Int {
    guard let text = optional(name) else { return standard }
    guard text.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int(text),
      range.contains(number)
    else {
      fault(name, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
      return standard
    }
    return number
  }

  /// Comma-separated, blanks around the elements dropped.
  func list(_ name: String) -> [String] {
    (optional(name) ?? "").split(separator: ",").map { part in
      var part = part
      while part.first == " " { part = part.dropFirst() }
      while part.last == " " { part = part.dropLast() }
      return String(part)
    }.filter { !$0.isEmpty }
  }

  /// Where a server of ours listens: `unix:/path`, a bare path, or `HOST:PORT`.
  mutating func address(_ name: String, standard: SocketAddress) -> SocketAddress {
    guard let text = optional(name) else { return standard }
    if let address = SocketAddress(text.hasPrefix("/") ? "unix:\(text)" : text) { return address }
    fault(name, "must be unix:/path (at most 107 bytes) or HOST:PORT")
    return standard
  }
}
