// A migration file as the statements it consists of: they are sent one at a time, so that each is recorded once it
// is done. Quotes and comments as MySQL reads them (MySQL 8.0 Reference Manual, 11.1.1 "String Literals", 11.7
// "Comments").

struct SQLStatement: Sendable, Equatable {
  enum Kind: Sendable {
    /// Commits by itself, and what was open before it (MySQL 8.0 Reference Manual, 15.3.3).
    case definition
    /// Changes rows, or only reads: part of a transaction.
    case change
    /// Holds for the session, so that each session needs it.
    case setting
  }

  /// As it is sent: from the first word to the semicolon, without it.
  let text: String
  let kind: Kind
  /// Bare words in upper case: nothing of quotes and comments.
  fileprivate let words: [String]

  func mentions(_ word: String) -> Bool { words.contains(word) }

  /// The first line, of 60 characters at the most.
  var headline: String {
    let line = text.prefix { $0 != "\n" }
    return line.count > 60 ? line.prefix(59) + "…" : String(line)
  }
}

struct SQLScript: Sendable, Equatable {
  let statements: [SQLStatement]

  /// A statement that cannot be taken up again behind a cut, by its first line, or that is not known to.
  struct Unsupported: Error { let headline: String }

  init(_ text: String) throws(Unsupported) {
    var scanner = Scanner(text)
    var statements: [SQLStatement] = []
    while let (text, words, hasVariable) = scanner.next() {
      let kind = Self.kind(words, hasVariable)
      let statement = SQLStatement(text: text, kind: kind ?? .change, words: words)
      guard kind != nil else { throw Unsupported(headline: statement.headline) }
      statements.append(statement)
    }
    self.statements = statements
  }

  /// - Returns: nil for what is not supported: temporary tables, user variables, prepared statements and locks end
  ///   with the session, and transactions are the migration's.
  private static func kind(_ words: [String], _ hasVariable: Bool) -> SQLStatement.Kind? {
    switch words.first {
    case "CREATE", "ALTER", "DROP":
      let what = words.dropFirst().first { $0 != "OR" && $0 != "REPLACE" }
      return what == "TEMPORARY" ? nil : .definition
    case "RENAME", "TRUNCATE", "ANALYZE", "OPTIMIZE": return .definition
    case "INSERT", "REPLACE", "UPDATE", "DELETE", "SELECT", "WITH":
      return hasVariable ? nil : .change
    case "SET":
      let others = ["STATEMENT", "GLOBAL", "PERSIST", "PASSWORD", "AUTOCOMMIT", "COMPLETION_TYPE"]
      return hasVariable || words.contains(where: others.contains) ? nil : .setting
    default: return nil
    }
  }
}

private struct Scanner {
  private let bytes: [UInt8]
  private var position = 0

  /// The objects that statements make: the first of them that a CREATE names is the one it makes.
  private static let objects: Set = ["TABLE", "INDEX", "VIEW", "SEQUENCE"]
  private static let programs: Set = ["PROCEDURE", "FUNCTION", "TRIGGER", "EVENT", "PACKAGE"]

  init(_ text: String) { bytes = Array(text.utf8) }

  /// The next statement, without comments around it; nil at the end. What makes a procedure, function, trigger or
  /// event reaches to the end of the file, as it may have semicolons in it.
  mutating func next() -> (text: String, words: [String], hasVariable: Bool)? {
    var words: [String] = []
    var hasVariable = false
    var (begin, end) = (bytes.count, position)
    while position < bytes.count {
      let from = position
      switch bytes[position] {
      case UInt8(ascii: ";"):
        position += 1
        if begin == bytes.count || Self.makesProgram(words) { continue }
        return (text(begin..<end), words, hasVariable)
      case let byte where Self.isSpace(byte):
        position += 1
        continue
      case _ where skipComment(): continue
      case UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "`"): skipQuoted()
      case let byte where Self.isOfWord(byte):
        while position < bytes.count, Self.isOfWord(bytes[position]) { position += 1 }
        words.append(String(decoding: bytes[from..<position], as: UTF8.self).uppercased())
      case UInt8(ascii: "@"):
        // A system variable has two of them.
        let isSystem = position + 1 < bytes.count && bytes[position + 1] == bytes[position]
        hasVariable = hasVariable || !isSystem
        position += isSystem ? 2 : 1
      default: position += 1
      }
      begin = min(begin, from)
      end = position
    }
    return begin == bytes.count ? nil : (text(begin..<end), words, hasVariable)
  }

  private func text(_ range: Range<Int>) -> String {
    String(decoding: bytes[range], as: UTF8.self)
  }

  private static func makesProgram(_ words: [String]) -> Bool {
    guard words.first == "CREATE" else { return false }
    return words.first { objects.contains($0) || programs.contains($0) }.map(programs.contains)
      ?? false
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || (0x09...0x0D).contains(byte)
  }

  private static func isOfWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "$"), 0x80...:
      true
    default: false
    }
  }

  /// Not what a server of some version executes, `/*!80000 … */` and `/*M! … */`.
  private mutating func skipComment() -> Bool {
    let rest = bytes[position...]
    let second = rest.dropFirst().first
    if rest.first == UInt8(ascii: "#") || rest.starts(with: "--".utf8) && isEndOrSpace(position + 2)
    {
      position = rest.firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
      return true
    }
    guard rest.first == UInt8(ascii: "/"), second == UInt8(ascii: "*") else { return false }
    if rest.starts(with: "/*!".utf8) || rest.starts(with: "/*M!".utf8) { return false }
    position += 2
    while position < bytes.count, !bytes[position...].starts(with: "*/".utf8) { position += 1 }
    position = min(position + 2, bytes.count)
    return true
  }

  private func isEndOrSpace(_ index: Int) -> Bool {
    index >= bytes.count || bytes[index] <= 0x20
  }

  /// A doubled quote ends one text and begins the next.
  private mutating func skipQuoted() {
    let quote = bytes[position]
    position += 1
    while position < bytes.count {
      let byte = bytes[position]
      position += byte == UInt8(ascii: "\\") && quote != UInt8(ascii: "`") ? 2 : 1
      if byte == quote { break }
    }
    position = min(position, bytes.count)
  }
}
