// The decoder of WebSocket messages: the same however the stream is cut, the same as the plain model
// of the RFC in ReferenceDecoder.swift, and what our encoder writes reads as what it was given.

import Fuzzing
import WebSocket

/// Small enough for a fuzzer to reach.
private let limit = 300

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let stream = fuzzInput(start, count)
  let whole = Decoded(stream, .whole)
  for cut in Cut.allCases {
    require(Decoded(stream, cut) == whole, "the same in any pieces")
  }
  var reference = ReferenceDecoder(limit: limit)
  reference.decode(stream)
  require(whole.items == reference.items, "the model hands on the same")
  require(whole.failure == reference.failure, "the model fails alike")
  for item in whole.items { checkEncoder(item) }
  return 0
}

struct Item: Equatable {
  var kind: Received
  var payload: [UInt8]
}

private struct Decoded: Equatable {
  var items: [Item] = []
  var failure: CloseCode?

  init(_ stream: [UInt8], _ cut: Cut) {
    var decoder = MessageDecoder()
    var items: [Item] = []
    var isClosed = false
    for var piece in pieces(of: stream, cut) where failure == nil && !isClosed {
      var span = piece.mutableSpan
      do throws(WebSocketFailure) {
        try decoder.decode(&span, limit: limit) { kind, payload in
          items.append(Item(kind: kind, payload: payload.withUnsafeBufferPointer(Array.init)))
          if case .close = kind { isClosed = true }
          return true
        }
      } catch {
        failure = error.code
      }
    }
    self.items = items
  }
}

/// A server's frame, once masked as a client's is, comes back.
private func checkEncoder(_ item: Item) {
  var frame: [UInt8] = []
  switch item.kind {
  case .text: FrameEncoder.append(.text, item.payload, to: &frame)
  case .binary: FrameEncoder.append(.binary, item.payload, to: &frame)
  case .ping: FrameEncoder.append(.ping, item.payload, to: &frame)
  case .pong: FrameEncoder.append(.pong, item.payload, to: &frame)
  case .close(let code):
    FrameEncoder.appendClose(
      code, reason: String(decoding: item.payload, as: UTF8.self), to: &frame)
  case .fragment: return
  }
  frame[1] |= 0x80
  let headerEnd = frame[1] & 0x7F == 126 ? 4 : 2
  frame.insert(contentsOf: [0, 0, 0, 0], at: headerEnd)
  require(Decoded(frame, .whole).items == [item], "what is encoded is decoded")
}
