// What the suites share: a secret, a clock that stands still, tokens put together by hand.

import Crypto
import JSON

@testable import JWT

let now: Int64 = 1_800_000_000
let secret = Array("a secret of thirty-two bytes or more".utf8)

/// A token of any header and claims, with a good signature of that kind.
func token(
  header: JSONValue = ["alg": "HS256"], claims: JSONValue = ["sub": "u1", "exp": .int(now + 60)],
  secret: [UInt8] = secret, function: HashFunction = .sha256
) -> String {
  token(header: header.serialized(), claims: claims.serialized(), secret: secret, function)
}

func token(
  header: [UInt8], claims: [UInt8], secret: [UInt8] = secret, _ function: HashFunction = .sha256
) -> String {
  sign(Base64URL.encode(header) + "." + Base64URL.encode(claims), secret: secret, function)
}

func sign(
  _ input: String, secret: [UInt8] = secret, _ function: HashFunction = .sha256
) -> String {
  let signature = HMAC.authenticate(function, key: secret, message: Array(input.utf8))
  return input + "." + Base64URL.encode(signature)
}

func verifier(
  _ algorithms: Set<JWTAlgorithm> = [.hs256], issuer: String? = nil, audience: String? = nil,
  keys: JWTKeySet? = nil
) throws -> JWTVerifier {
  var set = keys ?? JWTKeySet()
  if keys == nil { try set.add(secret: secret) }
  return JWTVerifier(keys: set, algorithms: algorithms, issuer: issuer, audience: audience)
}

extension JWTVerifier {
  /// Why the token is refused; nil where it is not.
  func error(_ token: String, now: Int64 = now) -> JWTError? {
    do throws(JWTError) {
      _ = try verify(token, now: now)
      return nil
    } catch {
      return error
    }
  }
}
