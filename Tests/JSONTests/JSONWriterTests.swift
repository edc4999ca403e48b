// The writer against RFC 8259, and against the parser.

import JSON
import Testing

@Suite struct JSONWriterTests {
  private func written(_ body: (inout JSONWriter) -> Void) -> String {
    var writer = JSONWriter(reserving: 0)
    body(&writer)
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  @Test func putsCommas() {
    let text = written { writer in
      writer.beginObject()
      writer.key("a")
      writer.beginArray()
      writer.int(1)
      writer.beginObject()
      writer.endObject()
      writer.beginArray()
      writer.endArray()
      writer.string("x")
      writer.endArray()
      writer.key("b")
      writer.raw("{\"c\":1}")
      writer.key("d")
      writer.raw(Array("[]".utf8))
      writer.key("e")
      writer.null()
      writer.endObject()
    }
    #expect(text == #"{"a":[1,{},[],"x"],"b":{"c":1},"d":[],"e":null}"#)
  }

  @Test func writesMembers() {
    let text = written { writer in
      writer.beginObject()
      writer.member("s", "é")
      writer.member("i", 5)
      writer.member("w", Int64.min)
      writer.member("d", 0.5)
      writer.member("t", true)
      writer.member("n", String?.none)
      writer.member("m", Int?.none)
      writer.member("v", ["x": nil] as JSONValue)
      writer.endObject()
    }
    #expect(
      text
        == #"{"s":"é","i":5,"w":-9223372036854775808,"d":0.5,"t":true,"n":null,"m":null,"v":{"x":null}}"#
    )
  }

  /// Names whose order Swift's strings do not agree on with themselves.
  @Test func membersAreInTheOrderOfTheirBytes() {
    let names = ["e\u{301}", "\u{e9},", "z", "\u{e9}x", "e"]
    let value = JSONValue.object(Dictionary(uniqueKeysWithValues: names.map { ($0, .null) }))
    let text = #"{"e":null,"e\#u{301}":null,"z":null,"\#u{e9},":null,"\#u{e9}x":null}"#
    #expect(value.serialized() == Array(text.utf8))
  }

  @Test(arguments: [
    ("", #""""#), ("a/b", #""a/b""#), ("\"\\", #""\"\\""#),
    ("\u{8}\u{9}\u{a}\u{c}\u{d}", #""\b\t\n\f\r""#), ("\0\u{1f}\u{7f}", "\"\\u0000\\u001f\u{7f}\""),
    ("é\n😀", "\"é\\n😀\""),
  ])
  func escapesStrings(text: String, json: String) {
    #expect(written { $0.string(text) } == json)
    #expect(
      written {
        $0.beginObject()
        $0.key(text: text)
        $0.int(1)
        $0.endObject()
      } == "{\(json):1}")
  }

  @Test func textThatIsPlainIsWrittenAsItIs() {
    let text = written { writer in
      writer.beginArray()
      writer.string(plain: "2026-05-04".utf8Span.span)
      writer.string(plain: "".utf8Span.span)
      writer.endArray()
    }
    #expect(text == #"["2026-05-04",""]"#)
  }

  @Test func whatWasWrittenIsForgotten() {
    let text = written { writer in
      writer.beginArray()
      writer.int(1)
      writer.reset()
      writer.beginObject()
      writer.endObject()
    }
    #expect(text == "{}")
  }

  @Test(arguments: [0, 1, -1, 9, 10, 12345, -90, .max, .min] as [Int64])
  func writesIntegers(value: Int64) throws {
    #expect(written { $0.int(value) } == value.description)
    #expect(try JSONParser.parse(JSONValue.int(value).serialized()) == .int(value))
  }

  @Test(arguments: [
    0.1, -2.5, 1e300, .leastNonzeroMagnitude, .pi, .greatestFiniteMagnitude, .leastNormalMagnitude,
    1e16, 123456.789,
  ])
  func writesDoubles(value: Double) throws {
    #expect(try JSONParser.parse(JSONValue.double(value).serialized()).doubleValue == value)
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity])
  func writesNullForWhatIsNoNumber(value: Double) {
    #expect(written { $0.double(value) } == "null")
  }

  @Test func sortsNames() {
    let value: JSONValue = ["b": 1, "a": ["d": 2, "c": [true, nil]], "é": ""]
    #expect(
      String(decoding: value.serialized(), as: UTF8.self)
        == #"{"a":{"c":[true,null],"d":2},"b":1,"é":""}"#)
  }

  /// The writer looks at eight bytes at a time.
  @Test(arguments: ["\"", "\\", "\n", "\u{1f}", "é", "\u{7f}"])
  func escapesAtEveryPlace(character: String) throws {
    for before in 0...17 {
      for after in 0...9 {
        let text =
          String(repeating: "a", count: before) + character
          + String(repeating: "\u{ff}", count: after)
        let json = JSONValue.string(text).serialized()
        #expect(try JSONParser.parse(json).stringValue == text)
        let expected = character.utf8.count == 1 && character != "\u{7f}"
        #expect(json.contains(UInt8(ascii: "\\")) == expected)
      }
    }
  }

  @Test func everyScalarSurvives() throws {
    var text = ""
    for value in (0 as UInt32)...0x3000 {
      if let scalar = Unicode.Scalar(value) { text.unicodeScalars.append(scalar) }
    }
    text += "\u{D7FF}\u{E000}\u{FFFD}\u{10000}\u{10FFFF}"
    #expect(try JSONParser.parse(JSONValue.string(text).serialized()).stringValue == text)
  }
}
