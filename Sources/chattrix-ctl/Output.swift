// What a command prints: a table that fits a terminal, or JSON for a script.

import JSON
import System

struct Output {
  let isJSON: Bool

  /// Rows of values under their columns' names.
  func table(_ columns: [String], _ rows: [[String?]]) {
    if isJSON {
      let objects = rows.map { row in
        JSONValue.object(
          Dictionary(
            uniqueKeysWithValues: zip(columns, row.map { $0.map { .string($0) } ?? .null })))
      }
      return json(.array(objects))
    }
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

  /// One thing, member by member.
  func record(_ members: [(name: String, value: String?)]) {
    if isJSON {
      return json(
        .object(
          Dictionary(
            uniqueKeysWithValues: members.map { ($0.name, $0.value.map { .string($0) } ?? .null) })
        ))
    }
    let width = members.map(\.name.count).max() ?? 0
    for (name, value) in members {
      writeOut(name + String(repeating: " ", count: width - name.count + 2) + (value ?? "-") + "\n")
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
