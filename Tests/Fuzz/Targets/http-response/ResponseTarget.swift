// Responses to requests of our own: the same however the stream is cut, within their limits, and what is
// written reads as the same.

import Fuzzing
import HTTP

/// Small enough for a fuzzer to reach.
private let limits = {
  var limits = ResponseLimits()
  limits.headBytes = 400
  limits.fields = 6
  limits.bodyBytes = 100
  limits.chunkLineBytes = 24
  return limits
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let stream = fuzzInput(start, count)
  let outcome = Outcome(stream, .whole)
  for cut in Cut.allCases {
    require(Outcome(stream, cut) == outcome, "the same in any pieces")
  }
  guard case .response(let response, let consumed) = outcome else { return 0 }
  check(response)
  require(consumed == nil || consumed! <= stream.count, "no more than there is")
  require(
    consumed != nil || !response.keepsConnection, "a connection that has ended is not used again")
  if let consumed {
    require(
      Outcome(Array(stream.prefix(consumed)), .whole) == outcome, "what follows changes nothing")
  }
  if !response.bodyExceedsLimit, !holdsReplacement(response) { checkRewritten(response) }
  return 0
}

private enum Outcome: Equatable {
  /// `consumed` is nil where the end of the stream was the response's.
  case response(ReceivedResponse, consumed: Int?)
  case failure(ResponseError)

  init(_ stream: [UInt8], _ cut: Cut) {
    var parser = ResponseParser(limits: limits)
    var before = 0
    do throws(ResponseError) {
      for piece in pieces(of: stream, cut) {
        if let found = try parser.feed(piece.span) {
          self = .response(found.response, consumed: before + found.consumed)
          return
        }
        before += piece.count
      }
      self = .response(try parser.endOfStream(), consumed: nil)
    } catch {
      self = .failure(error)
    }
  }
}

private func check(_ response: ReceivedResponse) {
  require((200...999).contains(response.status), "a final status")
  require(response.headers.count <= limits.fields, "no more fields than the limit")
  require(response.body.count <= limits.bodyBytes, "no more of a body than the limit")
  require(
    !response.bodyExceedsLimit || response.body.isEmpty && !response.keepsConnection,
    "nothing of a body beyond the limit")
  for field in response.headers.fields {
    require(field.value.utf8.allSatisfy(HTTPText.isFieldCharacter), "no control characters")
  }
}

/// The same with a length in place of whatever framing it had.
private func checkRewritten(_ response: ReceivedResponse) {
  var headers = response.headers
  headers["Transfer-Encoding"] = nil
  headers["Content-Length"] = "\(response.body.count)"
  guard headers.count <= limits.fields else { return }
  var bytes = Array("HTTP/1.1 \(response.status) x\r\n".utf8)
  for field in headers.fields { bytes += "\(field.name):\(field.value)\r\n".utf8 }
  bytes += "\r\n".utf8
  guard bytes.count <= limits.headBytes else { return }
  guard case .response(let again, _) = Outcome(bytes + response.body, .whole) else {
    require(false, "what is written is read")
    return
  }
  require(
    again.status == response.status && again.headers == headers && again.body == response.body,
    "what is written reads as the same")
}

/// Whether a field had bytes that are not UTF-8: U+FFFD stands for each, and is longer.
private func holdsReplacement(_ response: ReceivedResponse) -> Bool {
  response.headers.fields.contains { $0.value.unicodeScalars.contains("\u{FFFD}") }
}
