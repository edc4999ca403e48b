// The head of an HTTP request and the WebSocket handshake in it: the same however the stream is cut,
// and nothing gets through that another parser would read otherwise.

import Fuzzing
import HTTP
import WebSocket

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let stream = fuzzInput(start, count)
  let outcome = Outcome(stream, .whole)
  for cut in Cut.allCases {
    require(Outcome(stream, cut) == outcome, "the same in any pieces")
  }
  guard case .head(let head, let consumed) = outcome else { return 0 }
  require(consumed <= RequestHeadParser.maximumBytes, "no longer than the limit")
  require(head.request.headers.count <= RequestHeadParser.maximumFields, "no more than the limit")
  require(
    Outcome(written(head), .whole) == .head(head, consumed: written(head).count),
    "what is written reads as the same")
  if let handshake = try? Handshake(head) { check(handshake) }
  return 0
}

private enum Outcome: Equatable {
  case head(RequestHead, consumed: Int)
  case incomplete
  case failure(RequestHeadError)

  init(_ stream: [UInt8], _ cut: Cut) {
    var parser = RequestHeadParser()
    var before = 0
    do throws(RequestHeadError) {
      for piece in pieces(of: stream, cut) {
        if let found = try parser.feed(piece.span) {
          self = .head(found.head, consumed: before + found.consumed)
          return
        }
        before += piece.count
      }
      self = .incomplete
    } catch {
      self = .failure(error)
    }
  }
}

private func written(_ head: RequestHead) -> [UInt8] {
  let request = head.request
  // A target that ends in `?` has an empty query, as one without it has.
  let target = request.query.isEmpty ? request.path : "\(request.path)?\(request.query)"
  var bytes = Array("\(request.method.name) \(target) HTTP/1.\(head.minorVersion)\r\n".utf8)
  for field in request.headers.fields { bytes += "\(field.name):\(field.value)\r\n".utf8 }
  return bytes + "\r\n".utf8
}

private func check(_ handshake: Handshake) {
  let response = handshake.response(subprotocol: handshake.subprotocols.first).serialized()
  let lines = response.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
  let expected = handshake.subprotocols.isEmpty ? 6 : 7
  require(lines.count == expected, "a client cannot add a line to the response")
  require(lines.dropLast().allSatisfy { $0.last == UInt8(ascii: "\r") }, "every line has its CR")
}
