// Redis' replies: the same however the stream is cut, and what is written reads as the same.

import Fuzzing
import Redis

/// Small enough for a fuzzer to reach.
private let limits = {
  var limits = RESPLimits()
  limits.replyBytes = 400
  limits.lineBytes = 60
  limits.elements = 12
  return limits
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let stream = fuzzInput(start, count)
  let whole = Decoded(stream, .whole)
  for cut in Cut.allCases {
    require(Decoded(stream, cut) == whole, "the same in any pieces")
  }
  for value in whole.values where !holdsReplacement(value) {
    var bytes: [UInt8] = []
    write(value, to: &bytes)
    require(Decoded(bytes, .whole).values == [value], "what is written reads as the same")
  }
  return 0
}

private struct Decoded: Equatable {
  var values: [RedisValue] = []
  var hasFailed = false

  init(_ stream: [UInt8], _ cut: Cut) {
    var decoder = RESPDecoder(limits: limits)
    do throws(RedisError) {
      for piece in pieces(of: stream, cut) {
        decoder.feed(piece.span)
        while let value = try decoder.next() { values.append(value) }
      }
    } catch {
      hasFailed = true
    }
  }
}

private func write(_ value: RedisValue, to bytes: inout [UInt8]) {
  switch value {
  case .simple(let text): bytes += "+\(text)\r\n".utf8
  case .error(let text): bytes += "-\(text)\r\n".utf8
  case .integer(let number): bytes += ":\(number)\r\n".utf8
  case .null: bytes += "$-1\r\n".utf8
  case .bulk(let content): bytes += "$\(content.count)\r\n".utf8 + content + "\r\n".utf8
  case .array(let elements):
    bytes += "*\(elements.count)\r\n".utf8
    for element in elements { write(element, to: &bytes) }
  }
}

/// Whether a text had bytes that are not UTF-8: U+FFFD stands for each, and is longer.
private func holdsReplacement(_ value: RedisValue) -> Bool {
  switch value {
  case .simple(let text), .error(let text): text.unicodeScalars.contains("\u{FFFD}")
  case .array(let elements): elements.contains(where: holdsReplacement)
  case .integer, .bulk, .null: false
  }
}
