// Key files: PEM and JWK Sets. Whatever they hold, the outcome is keys or an error.

import Fuzzing
import JWT

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  guard let text = String(validating: fuzzInput(start, count), as: UTF8.self) else { return 0 }
  var pem = JWTKeySet()
  if (try? pem.add(pem: text)) != nil { check(pem) }
  var jwks = JWTKeySet()
  if (try? jwks.add(jwks: text)) != nil { check(jwks) }
  return 0
}

private func check(_ keys: JWTKeySet) {
  require(keys.algorithms.isSubset(of: [.rs256, .es256]), "public keys never serve HMAC")
}
