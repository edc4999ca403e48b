// The parser against RFC 8259: what it reads, what it refuses, and where.

import JSON
import Testing

@Suite struct JSONParserTests {
  private func parse(_ text: String) throws(JSONError) -> JSONValue {
    try JSONParser.parse(Array(text.utf8))
  }

  private func error(_ text: String) -> JSONError? { error(Array(text.utf8)) }

  private func error(_ bytes: [UInt8]) -> JSONError? {
    do throws(JSONError) {
      _ = try JSONParser.parse(bytes)
      return nil
    } catch {
      return error
    }
  }

  @Test func readsEveryKindOfValue() throws {
    let value = try parse(
      #" { "a" : [ 1 , -2.5, true, false, null, "x", {}, [] ] , "b":{"c":"d"} } "#)
    #expect(
      value == [
        "a": [1, -2.5, true, false, nil, "x", [:], []],
        "b": ["c": "d"],
      ])
    #expect(value["b"]?["c"]?.stringValue == "d")
    #expect(value["a"]?.arrayValue?.count == 8)
    #expect(value["none"] == nil)
    #expect(value["a"]?["c"] == nil)
  }

  @Test(arguments: [
    ("0", JSONValue.int(0)), ("-0", .int(0)), ("12", .int(12)),
    ("9223372036854775807", .int(.max)), ("-9223372036854775808", .int(.min)),
    ("9223372036854775808", .unsigned(9_223_372_036_854_775_808)),
    ("18446744073709551615", .unsigned(.max)),
    ("18446744073709551616", .double(18_446_744_073_709_551_616)),
    ("-9223372036854775809", .double(-9_223_372_036_854_775_808)),
    ("9223372036854775808.0", .double(9_223_372_036_854_775_808)),
    ("-9223372036854775809", .double(-9_223_372_036_854_775_808)),
    ("1.0", .int(1)), ("1e3", .int(1000)), ("1.25E+1", .double(12.5)), ("0.05", .double(0.05)),
    ("1e-2", .double(0.01)), ("9007199254740993.0", .double(9_007_199_254_740_992)),
    ("5e-324", .double(.leastNonzeroMagnitude)),
    ("1.7976931348623157e308", .double(.greatestFiniteMagnitude)),
    ("1e-999", .int(0)),
  ])
  func readsNumbers(text: String, value: JSONValue) throws {
    #expect(try parse(text) == value)
    #expect(try parse("[\(text)]") == [value])
  }

  @Test(
    "contract §7.11: numbers outside the grammar",
    arguments: [
      "01", "-01", "00", "-", "+1", ".5", "1.", "1.e3", "1e", "1e+", "0x10", "1_000", "NaN",
      "Infinity", "-Infinity", "1 2", "--1", "1e5.5", "1e999", "-1e999", "٣",
    ])
  func refusesMalformedNumbers(text: String) {
    #expect(error(text) != nil)
    #expect(error("{\"n\":\(text)}") != nil)
  }

  @Test(arguments: [
    (#""""#, ""), (#""plain""#, "plain"), (#""é€😀""#, "é€😀"),
    (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
    (#""\u0041\u00e9\u20AC""#, "Aé€"), (#""\ud83d\uDE00""#, "😀"), (#""\u0000""#, "\0"),
    (#""ab\ncd""#, "ab\ncd"), ("\"\u{7f}\"", "\u{7f}"), (#""\udbff\udfff""#, "\u{10FFFF}"),
    (#""é\u00e9""#, "éé"),
  ])
  func readsStrings(text: String, value: String) throws {
    #expect(try parse(text) == .string(value))
    #expect(try parse("{\(text):1}") == .object([value: 1]))
  }

  @Test("contract §7.11: control characters in strings", arguments: UInt8(0)..<0x20)
  func refusesControlCharacters(byte: UInt8) {
    #expect(error([0x22, 0x61, byte, 0x22]) == JSONError(.controlCharacter, at: 2))
    #expect(error([0x22, 0x5C, 0x6E, byte, 0x22]) == JSONError(.controlCharacter, at: 3))
  }

  @Test(arguments: [
    (#""\ud800""#, JSONError.Reason.loneSurrogate), (#""\udc00""#, .loneSurrogate),
    (#""\ud800\ud800""#, .loneSurrogate), (#""\ud800x""#, .loneSurrogate),
    (#""\ud800\n""#, .loneSurrogate), (#""\x41""#, .invalidEscape), (#""\u00g0""#, .invalidEscape),
    (#""\u+041""#, .invalidEscape), (#""\u12"#, .unexpectedEnd), (#""\"#, .unexpectedEnd),
    (#""\ud800\u12"#, .unexpectedEnd), (#""\ud83d\ude0""#, .invalidEscape),
  ])
  func refusesEscapes(text: String, reason: JSONError.Reason) {
    #expect(error(text)?.reason == reason)
  }

  /// Overlong forms, surrogates, beyond U+10FFFF, stray and missing continuation bytes.
  @Test(
    "contract §7.11: invalid UTF-8",
    arguments: [
      [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC3], [0xC3, 0x28], [0xE0, 0x80, 0x80],
      [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xF0, 0x80, 0x80, 0x80],
      [0xF0, 0x9F, 0x98], [0xF4, 0x90, 0x80, 0x80], [0xF8, 0x88, 0x80, 0x80, 0x80], [0xFE], [0xFF],
    ] as [[UInt8]])
  func refusesInvalidUTF8(bytes: [UInt8]) {
    #expect(error([0x22, 0x61] + bytes + [0x22]) == JSONError(.invalidUTF8, at: 2))
    #expect(error([0x22, 0x5C, 0x6E] + bytes + [0x22])?.reason == .invalidUTF8)
    #expect(error([0x7B, 0x22] + bytes + [0x22, 0x3A, 0x31, 0x7D])?.reason == .invalidUTF8)
    #expect(error(bytes) != nil)
  }

  @Test(
    "contract §7.11: text after the value", arguments: ["1 2", "{}x", "[]]", "null,", "\"\"\0"])
  func refusesTrailingText(text: String) {
    #expect(error(text)?.reason == .trailingText)
  }

  @Test(arguments: [
    "", " ", "{", "[", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "[1", "[1,", "\"", "tru", "n",
  ])
  func refusesTruncated(text: String) {
    #expect(error(text)?.reason == .unexpectedEnd)
  }

  @Test(arguments: [
    "{a:1}", "{'a':1}", "{\"a\" 1}", "{\"a\":1,}", "[1,]", "[,1]", "{,}", "[1 2]", "{1:2}", "[}",
    "{]", "True", "nul1", "\u{FEFF}{}", "// x\n1", "[1,,2]", "{\"a\":1 \"b\":2}", "\u{A0}1",
    "\u{B}1",
  ])
  func refusesBrokenStructure(text: String) {
    #expect(error(text) != nil)
  }

  @Test func lastOfEqualNamesCounts() throws {
    #expect(try parse(#"{"a":1,"a":2,"\u0061":3}"#) == ["a": 3])
  }

  @Test func boundsDepth() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    #expect(error(nested(32)) == nil)
    #expect(error(nested(33)) == JSONError(.tooDeep, at: 32))
    #expect(error(String(repeating: "[", count: 100_000))?.reason == .tooDeep)
    #expect(error(String(repeating: "{\"a\":", count: 100_000))?.reason == .tooDeep)
    #expect(
      error("[" + Array(repeating: nested(31), count: 50).joined(separator: ",") + "]") == nil)
  }

  @Test func namesThePlace() {
    #expect(error("[1, x]") == JSONError(.unexpectedByte, at: 4))
    #expect(error("[1, x]")?.description == "an unexpected character at byte 4")
  }

  @Test func doubleValueTakesIntegersToo() {
    #expect(JSONValue.int(2).doubleValue == 2)
    #expect(JSONValue.double(2.5).doubleValue == 2.5)
    #expect(JSONValue.double(2.5).intValue == nil)
    #expect(JSONValue.string("2").doubleValue == nil)
    #expect(JSONValue.null.isNull && !JSONValue.bool(false).isNull)
  }
}
