// What the target verifies with. The seeds in Corpus/jwt are signed with the secret, or with the
// private halves of the public keys, which were thrown away.

import Fuzzing
import JWT

enum Keys {
  /// Seconds since 1970.
  static let now: Int64 = 1_800_000_000
  static let secret = Array("a secret of thirty-two bytes or more".utf8)

  static let verifier = {
    var keys = JWTKeySet()
    do {
      try keys.add(secret: secret)
      try keys.add(pem: rsa)
      try keys.add(pem: p256)
      try keys.add(jwks: jwks)
    } catch {
      require(false, "the keys are good: \(error)")
    }
    return JWTVerifier(
      keys: keys, algorithms: Set(JWTAlgorithm.allCases), issuer: "https://id.example",
      audience: "calls")
  }()

  private static let rsa = """
    -----BEGIN PUBLIC KEY-----
    MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAtfxUfluCe0IWXeUmtNb3
    8xI/jh9fbBBcGIN420e0NXOgORWVCSI5eO0Uk7nPaYYczZmb3bkakYKztSO3iaVv
    mtIbV2LQlxTTiHnnzRN7+elzPKYgKGzddi4/i1z7n8EalhrsE0zYOvNAbZcJeNoO
    ORrtXsIbrqga6PpcOniVOrEayLKlDwV3v5W2lE9dHEpYqtWdiXYdwojOkx+px6Aq
    UnIo4wDVhjGdk7K2El5ehL7EUZ/EVBhvEw7iG/odK10yNGMT0/GqpGe1FQjBv1M+
    qyHq8wutDcKZRBIoZrpLFBGeZSuulJC0DfIECZCBHj8pBU0nA+bWRH7QUK+UYoJ6
    ZwIDAQAB
    -----END PUBLIC KEY-----
    """

  private static let p256 = """
    -----BEGIN PUBLIC KEY-----
    MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEUfzxa9sZT+/624pEkkroLVm6e+e5
    WzgtRK1qjnvL2ua9HAj5gnInDctUaNzp3Kp8M8s4/kPl8wCtm7NyZA+VUQ==
    -----END PUBLIC KEY-----
    """

  /// The same two under names.
  private static let jwks = """
    {"keys": [
      {"kty": "RSA", "kid": "k1", "e": "AQAB", "n": "\
    tfxUfluCe0IWXeUmtNb38xI_jh9fbBBcGIN420e0NXOgORWVCSI5eO0Uk7nPaYYczZmb3bkakYKztSO3iaVvmt\
    IbV2LQlxTTiHnnzRN7-elzPKYgKGzddi4_i1z7n8EalhrsE0zYOvNAbZcJeNoOORrtXsIbrqga6PpcOniVOrEa\
    yLKlDwV3v5W2lE9dHEpYqtWdiXYdwojOkx-px6AqUnIo4wDVhjGdk7K2El5ehL7EUZ_EVBhvEw7iG_odK10yNG\
    MT0_GqpGe1FQjBv1M-qyHq8wutDcKZRBIoZrpLFBGeZSuulJC0DfIECZCBHj8pBU0nA-bWRH7QUK-UYoJ6Zw\
    "},
      {"kty": "EC", "kid": "k2", "crv": "P-256",
       "x": "Ufzxa9sZT-_624pEkkroLVm6e-e5WzgtRK1qjnvL2uY",
       "y": "vRwI-YJyJw3LVGjc6dyqfDPLOP5D5fMArZuzcmQPlVE"}
    ]}
    """
}
