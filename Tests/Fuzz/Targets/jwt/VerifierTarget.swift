// The verifier of JWTs. An input that begins with `{` is a header, a line feed and claims, which are
// encoded and signed here, so that the fuzzer gets behind the signature; any other is a token.

import Crypto
import Fuzzing
import JSON
import JWT

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let input = fuzzInput(start, count)
  if input.first == UInt8(ascii: "{") {
    checkSigned(input)
  } else if let token = String(validating: input, as: UTF8.self) {
    checkSent(token)
  }
  return 0
}

/// Verified tokens have one spelling, so what else is sent cannot be a signed one's twin.
private func checkSent(_ token: String) {
  guard let claims = try? Keys.verifier.verify(token, now: Keys.now) else { return }
  check(claims)
  for part in token.split(separator: ".", omittingEmptySubsequences: false) {
    let spelling = Base64URL.decode(String(part)).map(Base64URL.encode)
    require(spelling == String(part), "one spelling")
  }
}

private func checkSigned(_ input: [UInt8]) {
  let lines = input.split(separator: 0x0A, maxSplits: 1, omittingEmptySubsequences: false)
  let header = Array(lines[0])
  let claims = lines.count > 1 ? Array(lines[1]) : []
  let content = Base64URL.encode(header) + "." + Base64URL.encode(claims)
  let function = hashFunction(header)
  var signature = HMAC.authenticate(
    function ?? .sha256, key: Keys.secret, message: Array(content.utf8))
  do throws(JWTError) {
    let read = try Keys.verifier.verify(
      content + "." + Base64URL.encode(signature), now: Keys.now)
    require(function != nil, "our secret signs by HMAC only")
    check(read)
  } catch {
    require(function == nil || error != .badSignature, "a good signature is taken for one")
    require(!error.reason.contains("\""), "fit for a header")
    return
  }
  signature[Int(claims.last ?? 0) % signature.count] ^= 1 << (header[0] & 7)
  let altered = content + "." + Base64URL.encode(signature)
  require((try? Keys.verifier.verify(altered, now: Keys.now)) == nil, "an altered signature")
}

private func check(_ claims: JWTClaims) {
  let length = claims.subject.unicodeScalars.count
  require(1...JWTClaims.maximumSubjectLength ~= length, "a subject of its length")
  require(claims.expiresAt > Keys.now - 31, "not expired")
}

/// That of the header's algorithm, where it is one of HMAC's.
private func hashFunction(_ header: [UInt8]) -> HashFunction? {
  switch try? JSONParser.parse(header)["alg"] {
  case "HS256": .sha256
  case "HS384": .sha384
  case "HS512": .sha512
  default: nil
  }
}
