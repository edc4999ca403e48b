// What libFuzzer hands over, and what a target says when a property does not hold.

import Glibc

/// libFuzzer's buffer as an array, whose bounds AddressSanitizer guards as well.
public func fuzzInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> [UInt8] {
  Array(UnsafeBufferPointer(start: start, count: count))
}

/// Ends the run with the property's name where it does not hold; libFuzzer keeps the input.
public func require(_ holds: Bool, _ property: String) {
  if holds { return }
  let line = Array("Property does not hold: \(property)\n".utf8)
  _ = write(STDERR_FILENO, line, line.count)
  abort()
}
