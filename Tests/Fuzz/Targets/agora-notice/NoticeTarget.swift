// A notice of Agora's: its body and its signature. An input is a signature's text, a line feed and a body.

import AgoraNotice
import Crypto
import Fuzzing
import JSON

private let secret = Array("secret".utf8)
private let signature = AgoraNoticeSignature(secrets: [Array("other".utf8), secret])

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let input = fuzzInput(start, count)
  let lines = input.split(separator: 0x0A, maxSplits: 1, omittingEmptySubsequences: false)
  let body = lines.count > 1 ? Array(lines[1]) : []
  checkSignature(String(decoding: lines[0], as: UTF8.self), body)
  checkBody(body)
  return 0
}

/// Two spellings of 64 digits are right, whatever else is sent.
private func checkSignature(_ sent: String, _ body: [UInt8]) {
  let right = hexadecimal(HMAC.authenticate(.sha256, key: secret, message: body))
  require(signature.isValid(right, of: body), "a good signature")
  require(!signature.isValid(right, of: body + [0]), "another body's signature")
  if signature.isValid(sent, of: body) {
    let other = hexadecimal(
      HMAC.authenticate(.sha256, key: Array("other".utf8), message: body))
    require([right, other].contains(sent.lowercased()), "nothing but the signature")
  }
}

private func hexadecimal(_ bytes: [UInt8]) -> String {
  let digits = Array("0123456789abcdef".utf8)
  return String(
    decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}

private func checkBody(_ body: [UInt8]) {
  do throws(AgoraNotice.Failure) {
    let notice = try AgoraNotice(body)
    require(1...AgoraNotice.idLimit ~= notice.noticeId.utf8.count, "an id of its length")
    require(notice.notifyMs >= 0, "a time")
    if let seconds = notice.occurredAtSeconds {
      // What is made of it does not overflow.
      require(seconds >= 0 && seconds <= Int64.max / 1000 - 1, "a second of these ages")
    }
    guard notice.event != nil else { return }
    require(notice.isOfInterest && notice.productId == 1, "of RTC")
    require(notice.channelName?.isEmpty == false, "a channel")
  } catch {
    if case .faults(let faults) = error {
      require(1...5 ~= faults.count, "up to five members")
      guard case .object? = try? JSONParser.parse(body) else {
        return require(false, "members of an object")
      }
    }
  }
}
