// Times as text: what can be written can be read, and the other way round.

import System
import Testing

@Suite struct ISO8601Tests {
  @Test(arguments: [
    ("2026-05-04T03:02:01.000Z", "2026-05-04T03:02:01.000Z"),
    ("2026-05-04T03:02:01+02:00", "2026-05-04T01:02:01.000Z"),
    ("2024-02-29 23:59:59.98765-0030", "2024-03-01T00:29:59.987Z"),
    ("1969-12-31t23:59:59.999z", "1969-12-31T23:59:59.999Z"),
    ("0000-01-01T23:59:00+23:59", "0000-01-01T00:00:00.000Z"),
    ("9999-12-31T00:00:59.999-23:59", "9999-12-31T23:59:59.999Z"),
  ])
  func whatIsReadIsWrittenInUTC(text: String, written: String) {
    #expect(Timestamp(iso8601: text)?.iso8601 == written)
  }

  @Test(arguments: ["0000-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01"])
  func yearsThatFourDigitsDoNotWriteAreRefused(text: String) {
    #expect(Timestamp(iso8601: text) == nil)
  }

  @Test(arguments: [
    "", "2026", "2026-05-04", "2026-05-04T03:02", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
    "2026-05-04T24:00:00Z", "2026-05-04T03:02:01.Z", "2026-05-04T03:02:01ZZ",
    "2026-05-04T03:02:01+24:00", "2026-05-04T03:02:01+2:00", "+2026-05-04T03:02:01Z",
  ])
  func whatIsNoTimeIsRefused(text: String) {
    #expect(Timestamp(iso8601: text) == nil)
  }
}
