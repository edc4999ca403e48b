// RFC 9110 section 5.6.7 (dates) and section 10.2.3 (Retry-After).

import HTTP
import System
import Testing

@Suite struct HTTPDateTests {
  /// 1994-11-06T08:49:37Z, the RFC's own example.
  private let example = Timestamp(milliseconds: 784_111_777_000)
  private let now = Timestamp(iso8601: "2026-05-04T03:02:01.250Z")!

  @Test(arguments: [
    "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
    "Sun Nov 06 08:49:37 1994", "Mon, 06 Nov 1994 08:49:37 GMT",
  ])
  func theThreeForms(text: String) {
    #expect(HTTPDate.timestamp(text, now: now) == example)
  }

  @Test(arguments: [
    "", "Sun", "Sun,", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC",
    "Sun, 06 Nov 1994 08:49:37 GMT ", " Sun, 06 Nov 1994 08:49:37 GMT",
    "sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
    "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 94 08:49:37 GMT", "Xyz, 06 Nov 1994 08:49:37 GMT",
    "Sunday, 06 Nov 1994 08:49:37 GMT", "Sun, 06-Nov-94 08:49:37 GMT",
    "Sund, 06-Nov-94 08:49:37 GMT", "Sun, 31 Nov 1994 08:49:37 GMT",
    "Sun, 29 Feb 1900 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
    "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 06 Foo 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:3\u{0} GMT", "Sun Nov   08:49:37 1994", "1994-11-06T08:49:37Z",
    "784111777",
  ])
  func refused(text: String) {
    #expect(HTTPDate.timestamp(text, now: now) == nil)
  }

  @Test func theEdgesOfTheCalendar() {
    for (text, expected) in [
      ("Thu, 01 Jan 1970 00:00:00 GMT", "1970-01-01T00:00:00.000Z"),
      ("Thu, 29 Feb 2024 23:59:59 GMT", "2024-02-29T23:59:59.000Z"),
      ("Sat, 31 Dec 2016 23:59:60 GMT", "2017-01-01T00:00:00.000Z"),
      ("Fri, 31 Dec 9999 23:59:59 GMT", "9999-12-31T23:59:59.000Z"),
    ] {
      #expect(HTTPDate.timestamp(text, now: now)?.iso8601 == expected)
    }
  }

  @Test("a year of two digits is no more than 50 years ahead")
  func century() {
    for (digits, now, year) in [
      ("94", 2026, 1994), ("26", 2026, 2026), ("76", 2026, 2076), ("77", 2026, 1977),
      ("00", 2026, 2000), ("05", 2099, 2105), ("49", 2099, 2149), ("50", 2099, 2050),
      ("99", 2100, 2099),
    ] {
      let date = HTTPDate.timestamp(
        "Sunday, 06-Nov-\(digits) 08:49:37 GMT",
        now: Timestamp(.init(year: now, month: 1, day: 1)))
      #expect(date?.components.year == year, "\(digits) in \(now)")
    }
  }

  @Test(
    "§8.2 Retry-After",
    arguments: [
      ("0", 0), ("120", 120), ("86400", 86_400), ("86401", 86_400),
      ("99999999999999999999999999", 86_400),
      ("Mon, 04 May 2026 03:02:02 GMT", 1), ("Mon, 04 May 2026 03:02:01 GMT", 0),
      ("Mon, 04 May 2026 04:02:01 GMT", 3600), ("Sun, 06 Nov 1994 08:49:37 GMT", 0),
      ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400), ("Monday, 04-May-26 03:03:01 GMT", 60),
      ("", nil), ("-1", nil), ("+1", nil), ("1.5", nil), ("1 ", nil), ("soon", nil), ("１", nil),
    ])
  func retryAfter(value: String, expected: Int?) {
    #expect(RetryAfter.seconds(value, now: now, maximumSeconds: 86_400) == expected)
  }
}
