// Agora tokens that somebody sent. An input that begins with `007` is a token's text; any other is a
// payload, which is deflated and encoded here, so that the fuzzer gets past both.

import AgoraToken
import CZlib
import Crypto
import Fuzzing

/// No seed is signed with it.
private let certificate = "0123456789abcdef0123456789ABCDEF"

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let input = fuzzInput(start, count)
  guard let text = String(validating: text(of: input), as: UTF8.self),
    let read = try? SignedAccessToken2(text)
  else { return 0 }
  require(read.payload.count <= SignedAccessToken2.maximumPayloadLength, "within the limit")
  let appId = read.token.appId
  require(!read.isSigned(with: certificate, appId: appId), "nobody signs without the certificate")
  guard let signed = try? read.token.signed(with: certificate) else { return 0 }
  let again = try? SignedAccessToken2(signed)
  require(again?.token == read.token, "what is written reads as the same")
  require(again?.isSigned(with: certificate, appId: appId) == true, "and bears our signature")
  return 0
}

private func text(of input: [UInt8]) -> [UInt8] {
  let version = Array("007".utf8)
  if input.starts(with: version) { return input }
  var length = compressBound(uLong(input.count))
  let compressed = [UInt8](unsafeUninitializedCapacity: Int(length)) { output, count in
    let status = compress(output.baseAddress, &length, input, uLong(input.count))
    count = status == Z_OK ? Int(length) : 0
  }
  return version + Base64.encode(compressed).utf8
}
