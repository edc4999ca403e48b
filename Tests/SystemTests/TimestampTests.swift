// Instants and the calendar, there and back.

import Glibc
import System
import Testing

@Suite struct TimestampTests {
  /// From the year 0 to 9999, which four digits can write.
  private let range = -62_167_219_200_000...253_402_300_799_999

  @Test("R13.5 random instants survive ISO 8601 to the millisecond")
  func roundTrips() {
    for _ in 0..<20_000 {
      let time = Timestamp(milliseconds: Int64(Int.random(in: range)))
      #expect(Timestamp(iso8601: time.iso8601) == time)
      #expect(Timestamp(time.components) == time)
    }
    for milliseconds in [range.lowerBound, range.upperBound, 0, -1, 1, 999, -999, -1000] {
      let time = Timestamp(milliseconds: Int64(milliseconds))
      #expect(Timestamp(iso8601: time.iso8601) == time)
    }
  }

  @Test("R13.5 the calendar is the C library's")
  func againstTheLibrary() {
    for _ in 0..<5000 {
      let seconds = Int.random(in: -4_000_000_000...8_000_000_000)
      var time = time_t(seconds)
      var parts = tm()
      gmtime_r(&time, &parts)
      let expected = Timestamp.Components(
        year: Int(parts.tm_year) + 1900, month: Int(parts.tm_mon) + 1, day: Int(parts.tm_mday),
        hour: Int(parts.tm_hour), minute: Int(parts.tm_min), second: Int(parts.tm_sec))
      #expect(Timestamp(milliseconds: Int64(seconds) * 1000).components == expected)
    }
  }

  @Test("leap years: every fourth, but of the centuries only every fourth")
  func leapYears() {
    for year in [2000, 2024, 1600, 2400, 1972] {
      #expect(Timestamp(iso8601: "\(year)-02-29T12:00:00Z") != nil)
    }
    for year in [1900, 2100, 2023, 2026, 1700] {
      #expect(Timestamp(iso8601: "\(year)-02-29T12:00:00Z") == nil)
      #expect(
        Timestamp(iso8601: "\(year)-02-28T23:59:59.999Z")!.milliseconds + 1
          == Timestamp(iso8601: "\(year)-03-01T00:00:00Z")!.milliseconds)
    }
  }

  @Test("offsets and fractions of any length")
  func offsets() {
    let noon = Timestamp(iso8601: "2026-05-04T12:00:00Z")
    for _ in 0..<1000 {
      let minutes = Int.random(in: -23 * 60...23 * 60)
      let local = Timestamp(milliseconds: noon!.milliseconds + Int64(minutes) * 60_000)
      let hours = abs(minutes) / 60
      let rest = abs(minutes) % 60
      let offset =
        (minutes < 0 ? "-" : "+") + (hours < 10 ? "0" : "") + "\(hours):"
        + (rest < 10 ? "0" : "") + "\(rest)"
      #expect(Timestamp(iso8601: local.iso8601.dropLast() + offset) == noon)
    }
    for (fraction, milliseconds) in [
      ("0", 0), ("5", 500), ("05", 50), ("005", 5), ("0005", 0), ("999999999", 999),
    ] {
      #expect(
        Timestamp(iso8601: "2026-05-04T12:00:00.\(fraction)Z")!.milliseconds
          == noon!.milliseconds + Int64(milliseconds))
    }
  }

  @Test func secondsAreRoundedDown() {
    for (milliseconds, seconds) in [
      (0, 0), (999, 0), (1000, 1), (-1, -1), (-1000, -1), (-1001, -2),
    ] {
      #expect(Timestamp(milliseconds: Int64(milliseconds)).seconds == Int64(seconds))
    }
    let now = Timestamp.now()
    #expect(now < now.adding(seconds: 1))
    #expect(abs(now.seconds - Int64(time(nil))) <= 1)
  }
}
