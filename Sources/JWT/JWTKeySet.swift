// The keys that tokens are verified with: shared secrets, public keys, or both side by side
// (contract §2, §7.12).

import Crypto

package struct JWTKeySet: Sendable {
  /// In bytes (RFC 7518 §3.2: no shorter than the hash).
  package static let minimumSecretLength = 32
  /// Of public keys, so that a token makes for a bounded number of verifications.
  package static let maximumPublicKeys = 32

  struct Entry: Sendable {
    let key: PublicKey
    /// Nil for a key without a name, which serves any `kid`.
    let keyId: String?
  }

  /// Any of them may have signed: a secret is replaced by adding the new one first (contract §10).
  private(set) var secrets: [[UInt8]] = []
  private(set) var publicKeys: [Entry] = []

  package init() {}

  package mutating func add(secret: [UInt8]) throws(JWTKeyError) {
    guard secret.count >= Self.minimumSecretLength else { throw .shortSecret }
    secrets.append(secret)
  }

  /// Adds every `PUBLIC KEY` block of the text (RFC 7468 §13).
  package mutating func add(pem: String) throws(JWTKeyError) {
    let keys: [PublicKey]
    do throws(KeyError) {
      keys = try PublicKey.keys(inPEM: pem)
    } catch {
      throw .unusableKey(error)
    }
    for key in keys { try add(key, keyId: nil) }
  }

  mutating func add(_ key: PublicKey, keyId: String?) throws(JWTKeyError) {
    guard publicKeys.count < Self.maximumPublicKeys else { throw .tooManyKeys }
    publicKeys.append(Entry(key: key, keyId: keyId))
  }

  /// What the keys can verify; an allow-list that names anything else can never be met.
  package var algorithms: Set<JWTAlgorithm> {
    Set(
      JWTAlgorithm.allCases.filter { algorithm in
        switch algorithm.family {
        case .secret: !secrets.isEmpty
        case .publicKey(let kind): publicKeys.contains { $0.key.kind == kind }
        }
      })
  }

  /// The public keys that may have signed a token: those of that name, else the nameless ones; for
  /// a token that names none, the nameless ones, else the only key of the kind.
  func candidates(kind: PublicKey.Kind, keyId: String?) -> [PublicKey] {
    let ofKind = publicKeys.filter { $0.key.kind == kind }
    let named = keyId == nil ? [] : ofKind.filter { $0.keyId == keyId }
    if !named.isEmpty { return named.map(\.key) }
    let nameless = ofKind.filter { $0.keyId == nil }
    let isOnly = keyId == nil && ofKind.count == 1
    return (isOnly ? ofKind : nameless).map(\.key)
  }
}

/// Why keys cannot be loaded. No case carries key material.
package enum JWTKeyError: Error, Equatable, Sendable, CustomStringConvertible {
  case shortSecret
  case malformedJWKS
  case noUsableKey
  case tooManyKeys
  case unusableKey(KeyError)

  package var description: String {
    switch self {
    case .shortSecret: "a secret of fewer than \(JWTKeySet.minimumSecretLength) bytes"
    case .malformedJWKS: "a malformed JWK Set"
    case .noUsableKey: "no key for RS256 or ES256"
    case .tooManyKeys: "more than \(JWTKeySet.maximumPublicKeys) public keys"
    case .unusableKey(let error): error.description
    }
  }
}
