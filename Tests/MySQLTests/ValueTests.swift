// Every kind of value, there and back.

import MySQL
import System
import TestServers
import Testing

@Suite(.needsServer, .emptyDatabase) struct ValueTests {
  private let connection: MySQLConnection
  private let table: String

  init() throws {
    connection = try TestDatabase.current.connect()
    table = "t_" + Randomness.system.hexadecimal(bytes: 6)
  }

  private func roundTrip(_ type: String, _ values: [MySQLValue]) throws -> [MySQLValue] {
    let table = "t_" + Randomness.system.hexadecimal(bytes: 6)
    try connection.run("CREATE TABLE \(table) (n INT PRIMARY KEY AUTO_INCREMENT, v \(type) NULL)")
    for value in values {
      #expect(try connection.execute("INSERT INTO \(table) (v) VALUES (?)", [value]) == 1)
    }
    return try connection.query("SELECT v FROM \(table) ORDER BY n").map { $0.values[0] }
  }

  private func expectRoundTrip(
    _ type: String, _ values: [MySQLValue], sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let read = try roundTrip(type, values)
    #expect(read == values, sourceLocation: sourceLocation)
  }

  @Test func nulls() throws {
    for type in ["BIGINT", "DOUBLE", "VARCHAR(10)", "LONGTEXT", "BLOB", "DATETIME(3)", "DATE"] {
      try expectRoundTrip(type, [.null])
    }
  }

  @Test func integers() throws {
    try expectRoundTrip("BIGINT", [.int(Int64.min), .int(-1), .int(0), .int(1), .int(Int64.max)])
    try expectRoundTrip("INT", [.int(Int64(Int32.min)), .int(Int64(Int32.max))])
    try expectRoundTrip("INT UNSIGNED", [.int(0), .int(Int64(UInt32.max))])
    try expectRoundTrip("TINYINT", [.int(-128), .int(127)])
    try expectRoundTrip("SMALLINT UNSIGNED", [.int(65_535)])
    try expectRoundTrip("MEDIUMINT", [.int(-8_388_608), .int(8_388_607)])
    try expectRoundTrip(
      "BIGINT UNSIGNED",
      [.int(Int64.max), .text("9223372036854775808"), .text("18446744073709551615")])
    try expectRoundTrip("YEAR", [.int(2026)])
  }

  @Test func doubles() throws {
    try expectRoundTrip(
      "DOUBLE",
      [
        0, -0.0, 1, -1, 0.1, 1 / 3, .pi, .greatestFiniteMagnitude, -.greatestFiniteMagnitude,
        .leastNormalMagnitude, .leastNonzeroMagnitude, 123_456_789.123_456_789,
      ].map { MySQLValue.double($0) })
    try expectRoundTrip("FLOAT", [.double(0.5)])
    #expect(try roundTrip("DECIMAL(20, 3)", [.double(-12.125)]) == [.double(-12.125)])
  }

  @Test func texts() throws {
    let texts = [
      "", "a", "naïve", "日本語", "😀👩‍👩‍👧", "quote ' \" \\ ` ; --", "line\nbreak\r\ttab", "\u{0}nul\u{0}",
      "e\u{301}", "é",
    ]
    try expectRoundTrip("VARCHAR(100)", texts.map { MySQLValue.text($0) })
    try expectRoundTrip("LONGTEXT", texts.map { MySQLValue.text($0) })
    // Byte for byte: Swift's == would not tell the last two apart.
    let read = try roundTrip("VARCHAR(100)", texts.map { MySQLValue.text($0) })
    for (value, text) in zip(read, texts) {
      guard case .text(let back) = value else {
        Issue.record("no text")
        continue
      }
      #expect(Array(back.utf8) == Array(text.utf8))
    }
    try expectRoundTrip("ENUM('one', 'two')", [.text("two")])
    try expectRoundTrip("CHAR(36) CHARACTER SET ascii", [.text("018f3f5e-0000-7000-8000-00000001")])
  }

  @Test func bytes() throws {
    let all = (0...255).map { UInt8($0) }
    try expectRoundTrip("BLOB", [.bytes([]), .bytes([0]), .bytes(all), .bytes([0xFF, 0xFE])])
    try expectRoundTrip("VARBINARY(300)", [.bytes([]), .bytes(all)])
    try expectRoundTrip("BINARY(4)", [.bytes([1, 0, 255, 4])])
  }

  @Test("R13.5 times to the millisecond, before and after 1970, over the whole calendar")
  func times() throws {
    let texts = [
      "1000-01-01T00:00:00.000Z", "1969-12-31T23:59:59.999Z", "1970-01-01T00:00:00.000Z",
      "1970-01-01T00:00:00.001Z", "2000-02-29T12:34:56.789Z", "2026-03-29T02:30:00.000Z",
      "2038-01-19T03:14:08.000Z", "9999-12-31T23:59:59.999Z",
    ]
    let times = texts.map { MySQLValue.time(Timestamp(iso8601: $0)!) }
    try expectRoundTrip("DATETIME(3)", times)
    try connection.run("CREATE TABLE \(table) (n INT, v DATETIME(3))")
    for (index, time) in times.enumerated() {
      try connection.execute("INSERT INTO \(table) VALUES (?, ?)", [.int(index), time])
    }
    let shown = try connection.query("SELECT CAST(v AS CHAR) FROM \(table) ORDER BY n")
    for (row, text) in zip(shown, texts) {
      #expect(row.text(0).replacing(" ", with: "T") + "Z" == text)
    }
  }

  @Test func datesAndWholeSeconds() throws {
    let noon = Timestamp(iso8601: "2026-05-04T12:00:00Z")!
    #expect(
      try roundTrip("DATE", [.time(noon)]) == [.time(Timestamp(iso8601: "2026-05-04T00:00:00Z")!)])
    try expectRoundTrip("DATETIME", [.time(noon)])
    try expectRoundTrip("TIMESTAMP(3)", [.time(noon)])
  }

  @Test func manyKindsInOneRow() throws {
    let values: [MySQLValue] = [
      .text("α"), .null, .int(-7), .bytes([1, 2, 3]), .double(2.5), .text(""), .text("omega"),
      .time(Timestamp(milliseconds: 1_777_777_777_777)),
    ]
    try connection.run(
      """
      CREATE TABLE \(table) (a VARCHAR(9), b INT, c BIGINT, d BLOB, e DOUBLE, f TEXT, g TEXT,
        h DATETIME(3))
      """)
    try connection.execute("INSERT INTO \(table) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
    #expect(try connection.queryRow("SELECT * FROM \(table)")?.values == values)
  }

  @Test func rowsReadTheirColumnsInOtherKinds() {
    let row = MySQLRecord(values: [.int(12), .double(2.5), .text("34"), .bytes([104, 105]), .null])
    #expect(row.int(0) == 12)
    #expect(row.int(1) == 2)
    #expect(row.int(2) == 34)
    #expect(row.int(4) == 0)
    #expect(row.double(0) == 12)
    #expect(row.double(2) == 34)
    #expect(row.double(4) == nil)
    #expect(row.text(0) == "12")
    #expect(row.text(3) == "hi")
    #expect(row.optionalText(4) == nil)
    #expect(row.text(4) == "")
    #expect(row.time(0) == nil)
    #expect(row.isNull(4))
  }
}
