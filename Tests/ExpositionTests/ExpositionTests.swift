// The text format as Prometheus' documentation has it ("Exposition formats", 0.0.4).

import System
import Testing

@testable import Exposition

@Suite struct ExpositionTests {
  @Test("A family has its help and type once, then its samples")
  func samples() {
    var page = Exposition()
    page.counters(
      "a_total", "Things.", [([("kind", "x"), ("more", "y")], 3), ([("kind", "z")], 0)])
    page.gauge("b", "A level.", 1.5)
    #expect(
      page.text == """
        # HELP a_total Things.
        # TYPE a_total counter
        a_total{kind="x",more="y"} 3
        a_total{kind="z"} 0
        # HELP b A level.
        # TYPE b gauge
        b 1.5

        """)
  }

  @Test("A histogram's buckets add up, bounds are inclusive and in seconds")
  func histogram() {
    let scale = HistogramScale([100, 250], unitsPerSecond: 1000)
    var values = HistogramValues(scale)
    for value in [100, 101, 250, 251, -5] { values.observe(value, scale) }
    var page = Exposition()
    page.histograms("t_seconds", "Time.", scale, [([("of", "x")], values)])
    #expect(
      page.text == """
        # HELP t_seconds Time.
        # TYPE t_seconds histogram
        t_seconds_bucket{of="x",le="0.1"} 2
        t_seconds_bucket{of="x",le="0.25"} 4
        t_seconds_bucket{of="x",le="+Inf"} 5
        t_seconds_sum{of="x"} 0.702
        t_seconds_count{of="x"} 5

        """)
  }
}
