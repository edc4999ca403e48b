// URLs that requests are sent to, dates and Retry-After: what is taken is within its bounds, and a URL that
// is put together again is the same.

import Fuzzing
import HTTP
import System

private let now = Timestamp(milliseconds: 1_777_863_721_000)

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let text = String(decoding: fuzzInput(start, count), as: UTF8.self)
  if let url = try? HTTPURL(text) { check(url) }
  if let date = HTTPDate.timestamp(text, now: now) {
    require((0...10_000).contains(date.components.year), "a year of four digits")
  }
  if let seconds = RetryAfter.seconds(text, now: now, maximumSeconds: 86_400) {
    require((0...86_400).contains(seconds), "no longer than the limit")
  }
  return 0
}

private func check(_ url: HTTPURL) {
  let scheme = url.isSecure ? "https" : "http"
  require(
    (try? HTTPURL("\(scheme)://\(url.authority)\(url.target)")) == url,
    "what is written reads as the same")
  require(url.port > 0 && !url.host.isEmpty && url.target.hasPrefix("/"), "every part is there")
  require(
    (url.host + url.target).utf8.allSatisfy { (0x21...0x7E).contains($0) },
    "no blanks and no control characters")
}
