// A page of metrics in Prometheus' text format (prometheus.io, "Exposition formats", 0.0.4), family by family.

import System

package struct Exposition {
  package typealias Labels = [(name: String, value: String)]

  package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  package private(set) var text = ""

  package init() {}

  /// - Parameter name: Ends in `_total`.
  package mutating func counter(_ name: String, _ help: String, _ value: UInt64) {
    counters(name, help, [([], value)])
  }

  package mutating func counters(
    _ name: String, _ help: String, _ samples: [(labels: Labels, value: UInt64)]
  ) {
    begin(name, "counter", help)
    for sample in samples { line(name, sample.labels, "\(sample.value)") }
  }

  package mutating func gauge(_ name: String, _ help: String, _ value: some Numeric) {
    gauges(name, help, [([], value)])
  }

  package mutating func gauges(
    _ name: String, _ help: String, _ samples: [(labels: Labels, value: some Numeric)]
  ) {
    begin(name, "gauge", help)
    for sample in samples { line(name, sample.labels, "\(sample.value)") }
  }

  /// - Parameter name: Ends in `_seconds`.
  package mutating func histograms(
    _ name: String, _ help: String, _ scale: HistogramScale,
    _ series: [(labels: Labels, values: HistogramValues)]
  ) {
    begin(name, "histogram", help)
    for (labels, values) in series {
      var total: UInt64 = 0
      for (index, count) in values.counts.enumerated() {
        total &+= count
        let bound = index < scale.bounds.count ? "\(scale.seconds(scale.bounds[index]))" : "+Inf"
        line(name + "_bucket", labels + [("le", bound)], "\(total)")
      }
      line(name + "_sum", labels, "\(Double(values.sum) / scale.unitsPerSecond)")
      line(name + "_count", labels, "\(total)")
    }
  }

  /// A sum of seconds and how many there were.
  package mutating func summary(
    _ name: String, _ help: String, seconds: Double, count: UInt64
  ) {
    begin(name, "summary", help)
    line(name + "_sum", [], "\(seconds)")
    line(name + "_count", [], "\(count)")
  }

  private mutating func begin(_ name: String, _ type: String, _ help: String) {
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
  }

  /// Values of labels are names of this program's own: none has a quotation mark, a backslash or a line break.
  private mutating func line(_ name: String, _ labels: Labels, _ value: String) {
    text += name
    if !labels.isEmpty {
      text += "{" + labels.map { "\($0.name)=\"\($0.value)\"" }.joined(separator: ",") + "}"
    }
    text += " " + value + "\n"
  }
}
