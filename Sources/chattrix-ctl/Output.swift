// What a command prints: a table that fits a terminal, or JSON for a script.

import JSON
import System

struct Output {
  let isJSON: Bool

  /// Rows of values under their columns' names.
  struct List {
    let name: String
    let columns: [String]
    let rows: [[String?]]

    fileprivate var json: JSONValue {
      .array(rows.map { Output.object(zip(columns, $0).map { (name: $0, value: $1) }) })
    }
  }

  func table(_ columns: [String], _ rows: [[String?]]) {
    if isJSON { return json(List(name: "", columns: columns, rows: rows).json) }
    let lines = [columns.map { $0.uppercased() }] + rows.map { $0.map { $0 ?? "-" } }
    let widths = columns.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    for line in lines {
      let cells = zip(line, widths).map { cell, width in
        cell + String(repeating: " ", count: max(0, width - cell.count))
      }
      var text = cells.joined(separator: "  ")
      while text.last == " " { text.removeLast() }
      writeOut(text + "\n")
    }
  }

  private static func object(_ members: [(name: String, value: String?)]) -> JSONValue {
    .object(
      Dictionary(
        uniqueKeysWithValues: members.map { ($0.name, $0.value.map { .string($0) } ?? .null) }))
  }

  /// One thing, member by member, and the lists that belong to it.
  func record(_ members: [(name: String, value: String?)], _ lists: [List] = []) {
    if isJSON {
      guard case .object(var object) = Self.object(members) else { return }
      for list in lists { object[list.name] = list.json }
      return json(.object(object))
    }
    let width = members.map(\.name.count).max() ?? 0
    for (name, value) in members {
      writeOut(name + String(repeating: " ", count: width - name.count + 2) + (value ?? "-") + "\n")
    }
    for list in lists where !list.rows.isEmpty {
      writeOut("\n")
      table(list.columns, list.rows)
    }
  }

  /// A sentence for a person, a member `result` for a script.
  func done(_ text: String) {
    if isJSON { json(["result": .string(text)]) } else { writeOut(text + "\n") }
  }

  private func json(_ value: JSONValue) {
    writeOut(String(decoding: value.serialized(), as: UTF8.self) + "\n")
  }
}
