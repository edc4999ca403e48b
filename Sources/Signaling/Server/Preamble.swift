// What a connection needs only until its first frame is let through: the parser of its request head,
// and the bytes that came too early.

import HTTP

final class Preamble {
  var parser = RequestHeadParser()
  private(set) var stash: [UInt8] = []

  /// More is not kept for a peer that does not wait for the answer to its handshake.
  private static let stashLimit = 32_768

  /// - Returns: false where that would be too much.
  func keep(_ bytes: Span<UInt8>) -> Bool {
    guard stash.count + bytes.count <= Self.stashLimit else { return false }
    bytes.withUnsafeBufferPointer { stash.append(contentsOf: $0) }
    return true
  }

  func takeStash() -> [UInt8] {
    defer { stash = [] }
    return stash
  }
}
