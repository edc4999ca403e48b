import Storage
import System
import Testing

@testable import API

@Suite struct HistoryCursorTests {
  @Test("R6.2 a cursor reads back as it was written")
  func roundTrip() {
    let cursor = HistoryCursor(timestamp: Timestamp(milliseconds: 1_777_863_721_004), id: 90_210)
    #expect(cursor.wire == "1777863721004.90210")
    #expect(HistoryCursor(wire: cursor.wire) == cursor)
  }

  @Test("R6.2 the largest numbers", arguments: ["0.0", "99999999999999.999999999999999999"])
  func limits(text: String) { #expect(HistoryCursor(wire: text)?.wire == text) }

  @Test(
    "R6.2 any other text is no cursor",
    arguments: [
      "", ".", "1", "1.", ".1", "1.2.3", "-1.2", "1.-2", "+1.2", " 1.2", "1.2 ", "1,2", "a.b",
      "100000000000000.1", "1.1000000000000000000", "1.٣", "1e3.1", "MTc3Nzg2MzcyMTAwMC45MDIxMA",
    ])
  func refused(text: String) { #expect(HistoryCursor(wire: text) == nil) }
}
