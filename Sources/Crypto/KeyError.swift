// Why a public key cannot be used. No case carries key material.

package enum KeyError: Error, Equatable, Sendable, CustomStringConvertible {
  case malformedPEM
  case noPublicKey
  case privateKey
  case malformedKey
  case unsupportedKey
  case weakRSAKey(bits: Int)
  case tooLarge

  package var description: String {
    switch self {
    case .malformedPEM: "malformed PEM"
    case .noPublicKey: "no PUBLIC KEY block"
    case .privateKey: "a private key where a public one belongs"
    case .malformedKey: "a malformed key"
    case .unsupportedKey: "neither an RSA key nor one on P-256"
    case .weakRSAKey(let bits): "an RSA key of \(bits) bits, fewer than \(PublicKey.minimumRSABits)"
    case .tooLarge: "a key, or a file of keys, beyond its limit"
    }
  }
}
