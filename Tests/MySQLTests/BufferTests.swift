// Columns that do not fit the buffer that they are fetched into at first (256 bytes).

import MySQL
import System
import TestServers
import Testing

@Suite(.needsServer, .emptyDatabase) struct BufferTests {
  private let connection: MySQLConnection
  private let table: String

  init() throws {
    connection = try TestDatabase.current.connect()
    table = "t_" + Randomness.system.hexadecimal(bytes: 6)
    try connection.run(
      "CREATE TABLE \(table) (n INT PRIMARY KEY, a LONGTEXT, x INT, b LONGBLOB, c VARCHAR(500))")
  }

  private func text(_ length: Int, _ seed: Int) -> String {
    String((0..<length).map { Character(UnicodeScalar(UInt8(97 + ($0 * 7 + seed) % 26))) })
  }

  private func row(_ index: Int, _ length: Int) -> [MySQLValue] {
    [
      .int(index), .text(text(length, index)), .int(index * 3),
      .bytes(Array(text(length + 1, index + 1).utf8)), .text(text(min(length, 500), index + 2)),
    ]
  }

  private func check(_ lengths: [Int]) throws {
    var rows: [[MySQLValue]] = []
    for (index, length) in lengths.enumerated() {
      rows.append(row(index, length))
      try connection.execute("INSERT INTO \(table) VALUES (?, ?, ?, ?, ?)", rows[index])
    }
    let select = "SELECT n, a, x, b, c FROM \(table) ORDER BY n"
    // Twice: the second time with buffers that have grown.
    for round in 1...2 {
      for (index, read) in try connection.query(select).enumerated() {
        for column in 0..<5 {
          let isSame = read.values[column] == rows[index][column]
          #expect(isSame, "round \(round), row \(index), column \(column)")
        }
      }
    }
  }

  @Test func lengthsAroundTheFirstBuffer() throws {
    try check([0, 1, 254, 255, 256, 257, 258, 0, 300, 2])
  }

  @Test func growingAndShrinking() throws {
    try check([1, 1000, 10, 100_000, 0, 5, 100_001, 99_999, 257])
  }

  @Test func aHundredKilobytesOfWideCharacters() throws {
    let wide = String(repeating: "日本語😀", count: 8000)
    #expect(wide.utf8.count == 104_000)
    try connection.execute(
      "INSERT INTO \(table) VALUES (1, ?, 1, ?, 'c')", [.text(wide), .bytes(Array(wide.utf8))])
    let row = try connection.queryRow("SELECT a, b FROM \(table)")
    let isSame = row?.values == [.text(wide), .bytes(Array(wide.utf8))]
    #expect(isSame)
  }

  @Test func nullAfterALongValue() throws {
    try connection.execute(
      "INSERT INTO \(table) VALUES (1, ?, 1, NULL, 'c'), (2, NULL, 2, ?, NULL)",
      [.text(text(5000, 1)), .bytes([1])])
    #expect(
      try connection.query("SELECT a, b, c FROM \(table) ORDER BY n").map(\.values) == [
        [.text(text(5000, 1)), .null, .text("c")], [.null, .bytes([1]), .null],
      ])
  }

  @Test func manyRows() throws {
    try check((0..<300).map { $0 % 7 == 0 ? 2000 + $0 : $0 })
  }
}
