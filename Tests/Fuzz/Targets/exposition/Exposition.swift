// A page of metrics: what is taken reads again as the same, and merged with whatever it is, each family and each series
// is there once.

import Exposition
import Fuzzing

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  guard let page = Exposition(parsing: fuzzInput(start, count)) else { return 0 }
  require(Exposition(parsing: Array(page.text.utf8))?.text == page.text, "it reads as the same")
  var merged = Exposition()
  merged.counters("a_total", "Ours.", [([("program", "worker")], 1)])
  merged.merge(page)
  let once = merged.text
  merged.merge(page)
  require(merged.text == once, "nothing is taken twice")
  let lines = once.split(separator: "\n")
  require(Set(lines.map(beginning)).count == lines.count, "each head and each series once")
  return 0
}

/// What may be there once: `# TYPE name`, or a series without its value.
private func beginning(of line: Substring) -> String {
  if line.hasPrefix("#") {
    return line.split(separator: " ", maxSplits: 3).prefix(3).joined(separator: " ")
  }
  return String(line[..<(line.lastIndex(of: " ") ?? line.endIndex)])
}
