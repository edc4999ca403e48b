// Percent-decoding and query parameters: what was decoded, encoded again, decodes to the same.

import Fuzzing
import HTTP

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  guard let text = String(validating: fuzzInput(start, count), as: UTF8.self) else { return 0 }
  checkDecoding(text, plusIsSpace: false)
  checkDecoding(text, plusIsSpace: true)
  guard let query = try? QueryParameters(text) else { return 0 }
  require(query.names.count <= QueryParameters.maximumCount, "no more than the limit")
  for name in query.names {
    let pair = "\(encoded(name))=\(encoded(query[name] ?? ""))"
    let again = try? QueryParameters(pair)
    require(again?[name] == query[name], "a parameter encoded again is the same")
  }
  return 0
}

private func checkDecoding(_ text: String, plusIsSpace: Bool) {
  guard let decoded = try? PercentEncoding.decode(text, plusIsSpace: plusIsSpace) else { return }
  require(!decoded.utf8.contains(0), "no NUL comes out")
  for again in [encoded(decoded), PercentEncoding.encode(decoded)] {
    let twice = try? PercentEncoding.decode(again, plusIsSpace: plusIsSpace)
    require(twice.map { Array($0.utf8) } == Array(decoded.utf8), "encoding is undone")
  }
}

/// Every byte as `%XX`.
private func encoded(_ text: String) -> String {
  text.utf8.map { "%" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
