// How a statement joins `users` by one of our ids. That table may be a view over another application's, with
// numeric ids or another collation, and a comparison finds its index only where our side is converted to the
// type of theirs. Whoever reads such a row compares the ids once more, as texts.

import MySQL

struct UsersKey: Equatable {
  private enum Kind: Equatable {
    case integer
    case text(characterSet: String, collation: String)
    case other
  }

  private let kind: Kind
  /// No two rows have one id: of a view that is not known.
  let isUnique: Bool

  /// Reads the type of `users.id`.
  init(_ connection: MySQLConnection) throws {
    let row = try connection.queryRow(
      """
      SELECT LOWER(data_type), character_set_name, collation_name, column_key
      FROM information_schema.columns
      WHERE table_schema = DATABASE() AND table_name = 'users' AND column_name = 'id'
      """)
    let type = row?.text(0) ?? ""
    isUnique = row?.text(3) == "PRI"
    if type.hasSuffix("int") {
      kind = .integer
    } else if let characterSet = row?.optionalText(1), let collation = row?.optionalText(2),
      Self.isName(characterSet), Self.isName(collation)
    {
      kind = .text(characterSet: characterSet, collation: collation)
    } else {
      kind = .other
    }
  }

  /// Names of the server's own go into a statement's text: nothing else may.
  private static func isName(_ text: String) -> Bool {
    !text.isEmpty
      && text.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 95 }
  }

  /// The join of `users` under a name.
  /// - Parameter id: A column of ours that holds a user id.
  func join(_ name: String, on id: String) -> String {
    "LEFT JOIN users \(name) ON \(name).id = \(converted(id))"
  }

  private func converted(_ id: String) -> String {
    switch kind {
    // A text that is no number becomes 0, or the number that it begins with.
    case .integer: "CAST(\(id) AS UNSIGNED)"
    case .text("utf8mb4", "utf8mb4_bin"), .other: id
    case .text(let characterSet, let collation):
      "CONVERT(\(id) USING \(characterSet)) COLLATE \(collation)"
    }
  }
}
