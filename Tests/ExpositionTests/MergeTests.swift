// Two programs' pages in one: each family once and in one piece, as Prometheus wants it ("Exposition formats", 0.0.4).

import System
import Testing

@testable import Exposition

@Suite struct MergeTests {
  private func page(_ text: String) throws -> Exposition {
    try #require(Exposition(parsing: Array(text.utf8)))
  }

  private func isRefused(_ text: String) -> Bool {
    Exposition(parsing: Array(text.utf8)) == nil
  }

  private static let ours = """
    # HELP a_total Things.
    # TYPE a_total counter
    a_total{program="worker"} 3
    # HELP b A level.
    # TYPE b gauge
    b 1.5

    """

  @Test("What a page writes it reads again, letter for letter")
  func roundTrip() throws {
    var page = Exposition()
    page.counters(
      "a_total", "Things.",
      [([("route", "/api/v1/calls/{callId}"), ("more", "a, b = c")], 3), ([("kind", "z")], 0)])
    page.gauge("b", "Help with \"quotes\" and {braces}.", 1.5)
    page.counters("none_total", "Nothing yet.", [])
    page.gauges("c", "Beyond numbers.", [([], Double.infinity), ([("x", "y")], 1e-9)])
    let scale = HistogramScale([100, 250], unitsPerSecond: 1000)
    page.histograms("t_seconds", "Time.", scale, [([("of", "ü")], HistogramValues(scale))])
    page.summary("s_seconds", "A sum.", seconds: 0.25, count: 2)
    let text = page.text.replacing("inf", with: "+Inf")
    #expect(try self.page(text).text == text)
  }

  @Test("A family of both has the samples of both under one head; others follow")
  func merge() throws {
    var page = try page(Self.ours)
    page.merge(
      try self.page(
        """
        # HELP a_total Of another version.
        # TYPE a_total counter
        a_total{program="signaling"} 4
        # HELP c_total More.
        # TYPE c_total counter
        c_total 5

        """))
    #expect(
      page.text == """
        # HELP a_total Things.
        # TYPE a_total counter
        a_total{program="worker"} 3
        a_total{program="signaling"} 4
        # HELP b A level.
        # TYPE b gauge
        b 1.5
        # HELP c_total More.
        # TYPE c_total counter
        c_total 5

        """)
  }

  @Test("A series that is here already, and a family of another type, are left out")
  func conflicts() throws {
    var page = try page(Self.ours)
    page.merge(
      try self.page(
        """
        # HELP b A level.
        # TYPE b counter
        b{x="y"} 7
        # HELP a_total Things.
        # TYPE a_total counter
        a_total{program="worker"} 99

        """))
    #expect(page.text == Self.ours)
  }

  @Test("A family that comes twice, and a series that does, are there once")
  func twice() throws {
    var merged = Exposition()
    merged.merge(try page(Self.ours + Self.ours))
    #expect(merged.text == Self.ours)
    #expect(isRefused(Self.ours + "# HELP b A level.\n# TYPE b counter\nb{x=\"y\"} 1\n"))
  }

  @Test("What is no text, is cut off, or too long, is no page")
  func noPage() throws {
    #expect(isRefused(""))
    #expect(isRefused(String(Self.ours.dropLast())))
    #expect(isRefused(Self.ours + "# HELP c_total More.\n"))
    #expect(Exposition(parsing: Array(Self.ours.utf8) + [0xFF, 0x0A]) == nil)
    #expect(Exposition(parsing: Array("# HELP a ".utf8) + [0xC3, 0x0A]) == nil)
    let head = "# HELP b A level.\n# TYPE b gauge\n"
    var samples = ""
    for number in 0..<10_000 { samples += "b{x=\"\(number)\"} 1\n" }
    #expect(try page(head + samples).families[0].samples.count == 10_000)
    let long = String(repeating: "x", count: Exposition.limitBytes)
    #expect(isRefused(head + "b{x=\"\(long)\"} 1\n"))
  }

  @Test(
    "A line that none of our programs writes makes the page another program's",
    arguments: [
      "", "<html>", "# EOF", "# a comment", "b", "b ", " 1", "b 1 1700000000", "b  1", "b one",
      "b 0x1p3",
      "b 1\r", "b\t1", "b 1\u{0}", "c 1", "b_total 1", "b{} 1", "b{x} 1", "b{x=\"y} 1",
      "b{x=\"y\" 1",
      "b{x=\"y\",} 1", "b{x=\"y\"}z 1", "b{x=\"y\",x=\"z\"} 1", "b{x=\"\\\"\"} 1", "b{x:y=\"z\"} 1",
      "b{1=\"z\"} 1", "b{__name__=\"c\"} 1", "# HELP c", "# HELP 1c Help.\n# TYPE 1c gauge\n1c 1",
      "# HELP c Help.", "# HELP c Help.\n# TYPE d gauge\nd 1", "# HELP c He\\lp.\n# TYPE c gauge",
      "# TYPE c gauge\nc 1", "# HELP c Help.\n# TYPE c untyped\nc 1", "# HELP c Help.\nc 1",
      "# HELP c Help.\n# TYPE c histogram\nc 1", "# HELP c Help.\n# TYPE c summary\nc_bucket 1",
    ])
  func foreign(line: String) {
    #expect(!isRefused(Self.ours))
    #expect(isRefused(Self.ours + line + "\n"))
    #expect(isRefused(line + "\n" + Self.ours))
  }
}
