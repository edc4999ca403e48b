// A page of metrics in Prometheus' text format (prometheus.io, "Exposition formats", 0.0.4), family by family. The
// format wants each family once and in one piece, so a page is a list of families until it is written.

import System

package struct Exposition {
  package typealias Labels = [(name: String, value: String)]

  package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  /// Samples under one HELP and one TYPE line.
  struct Family {
    let name: String
    let type: MetricType
    let help: String
    var samples: [Sample] = []
  }

  struct Sample {
    /// Name and labels, as they are written.
    let series: String
    let value: String
  }

  enum MetricType: String {
    case counter, gauge, histogram, summary
  }

  /// In the order in which they are written.
  private(set) var families: [Family] = []
  private var places: [String: Int] = [:]

  package init() {}

  package var text: String {
    var text = ""
    for family in families {
      text += "# HELP \(family.name) \(family.help)\n"
      text += "# TYPE \(family.name) \(family.type.rawValue)\n"
      for sample in family.samples { text += sample.series + " " + sample.value + "\n" }
    }
    return text
  }

  /// - Parameter name: Ends in `_total`.
  package mutating func counter(_ name: String, _ help: String, _ value: UInt64) {
    counters(name, help, [([], value)])
  }

  package mutating func counters(
    _ name: String, _ help: String, _ samples: [(labels: Labels, value: UInt64)]
  ) {
    let place = family(name, .counter, help)
    for sample in samples { add(place, name, sample.labels, "\(sample.value)") }
  }

  package mutating func gauge(_ name: String, _ help: String, _ value: some Numeric) {
    gauges(name, help, [([], value)])
  }

  package mutating func gauges(
    _ name: String, _ help: String, _ samples: [(labels: Labels, value: some Numeric)]
  ) {
    let place = family(name, .gauge, help)
    for sample in samples { add(place, name, sample.labels, "\(sample.value)") }
  }

  /// - Parameter name: Ends in `_seconds`.
  package mutating func histograms(
    _ name: String, _ help: String, _ scale: HistogramScale,
    _ series: [(labels: Labels, values: HistogramValues)]
  ) {
    let place = family(name, .histogram, help)
    for (labels, values) in series {
      var total: UInt64 = 0
      for (index, count) in values.counts.enumerated() {
        total &+= count
        let bound = index < scale.bounds.count ? "\(scale.seconds(scale.bounds[index]))" : "+Inf"
        add(place, name + "_bucket", labels + [("le", bound)], "\(total)")
      }
      add(place, name + "_sum", labels, "\(Double(values.sum) / scale.unitsPerSecond)")
      add(place, name + "_count", labels, "\(total)")
    }
  }

  /// A sum of seconds and how many there were.
  package mutating func summary(
    _ name: String, _ help: String, seconds: Double, count: UInt64
  ) {
    let place = family(name, .summary, help)
    add(place, name + "_sum", [], "\(seconds)")
    add(place, name + "_count", [], "\(count)")
  }

  /// Values of labels are names of this program's own: none has a quotation mark, a backslash or a line break.
  private mutating func add(_ place: Int, _ name: String, _ labels: Labels, _ value: String) {
    var series = name
    if !labels.isEmpty {
      series += "{" + labels.map { "\($0.name)=\"\($0.value)\"" }.joined(separator: ",") + "}"
    }
    add(Sample(series: series, value: value), to: place)
  }
}

extension Exposition {
  /// - Returns: The place of the family of this name, which is made where there is none.
  mutating func family(_ name: String, _ type: MetricType, _ help: String) -> Int {
    if let place = places[name] { return place }
    families.append(Family(name: name, type: type, help: help))
    places[name] = families.count - 1
    return families.count - 1
  }

  mutating func add(_ sample: Sample, to place: Int) { families[place].samples.append(sample) }

  /// Takes in the families of another program's page. The samples of one that both have follow those that are here,
  /// under the help that is here. A family of another type than here, and a series that is here already, are left
  /// out: Prometheus would refuse the page.
  package mutating func merge(_ other: Exposition) {
    for added in other.families {
      let place = family(added.name, added.type, added.help)
      guard families[place].type == added.type else { continue }
      var series = Set(families[place].samples.map(\.series))
      for sample in added.samples where series.insert(sample.series).inserted {
        add(sample, to: place)
      }
    }
  }
}
