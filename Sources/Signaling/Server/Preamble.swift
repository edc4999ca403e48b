// What some connections need until their first frame is let through: the parser of a request head
// that comes in pieces, and bytes that came too early: those of one read, because then the
// connection is not read from until they can be handled.

import HTTP

final class Preamble {
  var parser = RequestHeadParser()
  private(set) var stash: [UInt8] = []

  func keep(_ bytes: Span<UInt8>) {
    bytes.withUnsafeBufferPointer { stash.append(contentsOf: $0) }
  }

  func takeStash() -> [UInt8] {
    defer { stash = [] }
    return stash
  }
}
