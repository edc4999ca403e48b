// ISO 8601: an instant that was read is written so that it reads as the same.

import Fuzzing
import System

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  guard let text = String(validating: fuzzInput(start, count), as: UTF8.self),
    let instant = Timestamp(iso8601: text)
  else { return 0 }
  require(Timestamp(iso8601: instant.iso8601) == instant, "what is written reads as the same")
  require(Timestamp(instant.components) == instant, "its calendar date is its own")
  return 0
}
