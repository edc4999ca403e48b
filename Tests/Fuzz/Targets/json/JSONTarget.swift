// The JSON parser: a value survives being written and read again, and a fault lies within the text.

import Fuzzing
import JSON

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let text = fuzzInput(start, count)
  do throws(JSONError) {
    let value = try JSONParser.parse(text)
    let written = value.serialized()
    let again = try JSONParser.parse(written)
    require(again == value, "what is written reads as the same value")
    require(again.serialized() == written, "equal values are equal texts")
    require(depth(of: value) <= JSONParser.maximumDepth, "no deeper than the limit")
  } catch {
    require(0...text.count ~= error.offset, "the fault lies within the text")
  }
  return 0
}

private func depth(of value: JSONValue) -> Int {
  switch value {
  case .array(let elements): 1 + (elements.map(depth).max() ?? 0)
  case .object(let members): 1 + (members.values.map(depth).max() ?? 0)
  default: 0
  }
}
