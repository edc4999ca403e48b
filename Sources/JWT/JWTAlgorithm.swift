// The signature algorithms (RFC 7518 §3) that an allow-list may name (contract §2). `none` is not
// among them, so no configuration can let it in.

import Crypto

package enum JWTAlgorithm: String, Sendable, CaseIterable {
  case hs256 = "HS256"
  case hs384 = "HS384"
  case hs512 = "HS512"
  case rs256 = "RS256"
  case es256 = "ES256"

  /// What a key must be to serve the algorithm, and the only thing it is ever used for.
  enum Family: Equatable {
    case secret(HashFunction)
    case publicKey(PublicKey.Kind)
  }

  var family: Family {
    switch self {
    case .hs256: .secret(.sha256)
    case .hs384: .secret(.sha384)
    case .hs512: .secret(.sha512)
    case .rs256: .publicKey(.rsa)
    case .es256: .publicKey(.p256)
    }
  }
}
