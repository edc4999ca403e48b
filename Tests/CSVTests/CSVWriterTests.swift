import Testing

@testable import CSV

@Suite struct CSVWriterTests {
  private func written(_ write: (inout CSVWriter) -> Void) -> String {
    var csv = CSVWriter()
    write(&csv)
    return String(decoding: csv.bytes, as: UTF8.self)
  }

  @Test("RFC 4180: commas between fields, CRLF behind each record, nothing for an absent value")
  func records() {
    let text = written { csv in
      csv.field("a")
      csv.field(nil as String?)
      csv.field("")
      csv.field(-7)
      csv.field(0.25 as Double?)
      csv.field(nil as Double?)
      csv.field(plain: "x".utf8Span.span)
      csv.endRecord()
      csv.field("b")
      csv.endRecord()
    }
    #expect(text == "a,,,-7,0.25,,x\r\nb\r\n")
  }

  @Test(
    "RFC 4180: what has a comma, a quote or a line break in it is quoted, and quotes are doubled",
    arguments: [
      ("a,b", "\"a,b\""), ("a\"b", "\"a\"\"b\""), ("\"", "\"\"\"\""), ("a\nb", "\"a\nb\""),
      ("a\rb", "\"a\rb\""), ("a\r\nb", "\"a\r\nb\""), (" a ", " a "), ("é👩‍🚀;'", "é👩‍🚀;'"),
    ])
  func quotes(text: String, field: String) {
    #expect(written { $0.field(text) } == field)
  }

  @Test(
    "a text that a spreadsheet would take for a formula is marked as text",
    arguments: [
      ("=1+1", "'=1+1"), ("@SUM(A1)", "'@SUM(A1)"), ("-1+1", "'-1+1"), ("+a", "'+a"), ("-", "'-"),
      ("\tx", "'\tx"), ("\r=1", "\"'\r=1\""), ("=A1,B1", "\"'=A1,B1\""),
      ("=\"a\"", "\"'=\"\"a\"\"\""),
    ])
  func formulas(text: String, field: String) {
    #expect(written { $0.field(text) } == field)
  }

  @Test(
    "numbers with a sign, and signs elsewhere, stay as they are",
    arguments: ["+491701234567", "-12", "a=b", "1+1", "a@b.example", "'=1", "0"])
  func noFormulas(text: String) {
    #expect(written { $0.field(text) } == text)
  }

  @Test("a writer begins anew after reset")
  func reset() {
    let text = written { csv in
      csv.field("a")
      csv.reset()
      csv.field("b")
      csv.field("c")
    }
    #expect(text == "b,c")
  }
}
