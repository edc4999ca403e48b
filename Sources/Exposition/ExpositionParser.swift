// A page of metrics that another program of ours has written, read again: the part of Prometheus' text format (0.0.4)
// that ``Exposition`` writes. A page that has anything else in it comes from another program, and is refused whole.

extension Exposition {
  /// Of a page that is read, in bytes. That of the WebSocket server has 52,000.
  package static let limitBytes = 1_048_576

  /// - Returns: nil where the page is too long, is not text, was cut off, or has a line that ``Exposition`` does not
  ///   write. A family that comes in several pieces is in one here.
  package init?(parsing bytes: [UInt8]) {
    let end = UInt8(ascii: "\n")
    guard bytes.count <= Self.limitBytes, bytes.last == end,
      String(validating: bytes, as: UTF8.self) != nil
    else { return nil }
    var parser = ExpositionParser()
    for line in bytes.dropLast().split(separator: end, omittingEmptySubsequences: false) {
      guard parser.take(line) else { return nil }
    }
    guard !parser.isWithinHead else { return nil }
    self = parser.page
  }
}

private struct ExpositionParser {
  private(set) var page = Exposition()
  /// A HELP line, behind which the TYPE line has to follow.
  private var help: (name: ArraySlice<UInt8>, text: ArraySlice<UInt8>)?
  /// The family to which samples belong.
  private var place: Int?

  var isWithinHead: Bool { help != nil }

  /// - Returns: Whether the line is one that may stand here.
  mutating func take(_ line: ArraySlice<UInt8>) -> Bool {
    guard !line.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { return false }
    if let help { return takeType(line, of: help) }
    if line.starts(with: "# HELP ".utf8) { return takeHelp(line.dropFirst(7)) }
    return takeSample(line)
  }

  private mutating func takeHelp(_ line: ArraySlice<UInt8>) -> Bool {
    guard let space = line.firstIndex(of: UInt8(ascii: " ")) else { return false }
    let (name, text) = (line[..<space], line[(space + 1)...])
    // A backslash would begin an escape.
    guard Self.isName(name), !text.contains(UInt8(ascii: "\\")) else { return false }
    help = (name, text)
    return true
  }

  private mutating func takeType(
    _ line: ArraySlice<UInt8>, of help: (name: ArraySlice<UInt8>, text: ArraySlice<UInt8>)
  ) -> Bool {
    let begin = Array("# TYPE ".utf8) + help.name + [UInt8(ascii: " ")]
    guard line.starts(with: begin),
      let type = Exposition.MetricType(rawValue: Self.text(line.dropFirst(begin.count)))
    else { return false }
    let place = page.family(Self.text(help.name), type, Self.text(help.text))
    self.help = nil
    self.place = place
    return page.families[place].type == type
  }

  private mutating func takeSample(_ line: ArraySlice<UInt8>) -> Bool {
    guard let place, let space = line.lastIndex(of: UInt8(ascii: " ")) else { return false }
    let (series, value) = (line[..<space], Self.text(line[(space + 1)...]))
    let name = series.prefix { $0 != UInt8(ascii: "{") }
    guard Self.isName(name), Self.isSample(Self.text(name), of: page.families[place]),
      name.count == series.count || Self.areLabels(series[name.endIndex...]), Self.isValue(value)
    else { return false }
    page.add(.init(series: Self.text(series), value: value), to: place)
    return true
  }
}

extension ExpositionParser {
  private static func text(_ bytes: ArraySlice<UInt8>) -> String {
    String(decoding: bytes, as: UTF8.self)
  }

  /// `[a-zA-Z_:][a-zA-Z0-9_:]*`, a label's without colons.
  private static func isName(_ name: ArraySlice<UInt8>, colons: Bool = true) -> Bool {
    guard let first = name.first, !isDigit(first) else { return false }
    return name.allSatisfy {
      let letter = $0 | 0x20
      return UInt8(ascii: "a")...UInt8(ascii: "z") ~= letter || isDigit($0)
        || $0 == UInt8(ascii: "_") || colons && $0 == UInt8(ascii: ":")
    }
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
  }

  private static func isSample(_ name: String, of family: Exposition.Family) -> Bool {
    switch family.type {
    case .counter, .gauge: name == family.name
    case .histogram: ["_bucket", "_sum", "_count"].contains { name == family.name + $0 }
    case .summary: ["_sum", "_count"].contains { name == family.name + $0 }
    }
  }

  /// `{name="value",…}`: each name once, none of Prometheus' own, values without escapes.
  private static func areLabels(_ text: ArraySlice<UInt8>) -> Bool {
    var rest = text.dropFirst()
    var names: [ArraySlice<UInt8>] = []
    while true {
      let name = rest.prefix { $0 != UInt8(ascii: "=") }
      guard isName(name, colons: false), !name.starts(with: "__".utf8), !names.contains(name)
      else { return false }
      names.append(name)
      rest = rest[name.endIndex...]
      guard rest.starts(with: "=\"".utf8) else { return false }
      rest = rest.dropFirst(2)
      let value = rest.prefix { $0 != UInt8(ascii: "\"") }
      rest = rest[value.endIndex...].dropFirst()
      guard !value.contains(UInt8(ascii: "\\")), let next = rest.popFirst() else { return false }
      if next == UInt8(ascii: "}") { return rest.isEmpty }
      guard next == UInt8(ascii: ",") else { return false }
    }
  }

  private static func isValue(_ text: String) -> Bool {
    if ["+Inf", "-Inf", "NaN"].contains(text) { return true }
    let isDecimal = text.utf8.allSatisfy {
      isDigit($0) || "+-.e".utf8.contains($0)
    }
    return isDecimal && Double(text) != nil
  }
}
