// Keys that change while a program runs (contract §10).

import Configuration
import Glibc
import JSON
import JWT
import System
import Testing

@Suite struct KeyRingTests {
  private let path = "/tmp/chattrix-keys-" + Randomness.system.hexadecimal(bytes: 8)

  /// Two keys on P-256, as JWK Sets.
  private static let first = """
    {"keys":[{"kty":"EC","crv":"P-256","kid":"first","x":"14Jd9M_SkmxOUgDifL0KwWwOTqHYOahilU5w2emC8Sw",\
    "y":"ArecfEtjsGgWmZT64QmBKIgWRQFG01AhIrotv0Fpcl4"}]}
    """
  private static let second = first.replacing("first", with: "second")

  private func write(_ text: String) {
    let file = Descriptor(open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0o600))
    writeOut(text, to: file.raw)
  }

  private func ring(_ more: [String: String?] = [:]) throws -> KeyRing {
    try configuration(["JWT_SECRET": nil, "JWT_JWKS_FILE": path].merging(more) { $1 }).jwt
  }

  /// Whether a token of this `kid` finds a key, whose signature it then fails.
  private func knows(_ ring: KeyRing, _ kid: String) -> Bool {
    let header = Base64Text.encode("{\"alg\":\"ES256\",\"kid\":\"\(kid)\"}")
    let signature = String(repeating: "A", count: 86)
    do {
      _ = try ring.verifier.verify("\(header).e30.\(signature)", now: 0)
      return false
    } catch { return error == .badSignature }
  }

  @Test("§10 a reload takes the new keys and drops the old ones, together")
  func rotation() throws {
    write(Self.first)
    defer { unlink(path) }
    let ring = try ring()
    #expect(knows(ring, "first") && !knows(ring, "second"))
    write(Self.second)
    ring.reload()
    #expect(!knows(ring, "first") && knows(ring, "second"))
  }

  @Test("§10 another file under the name, also behind a symbolic link, is noticed without a reload")
  func replacedFile() throws {
    let other = path + ".new"
    write(Self.first)
    defer { for name in [path, other, path + ".link"] { unlink(name) } }
    symlink(path, path + ".link")
    let ring = try ring(["JWT_JWKS_FILE": path + ".link"])
    #expect(ring.inHand["JWT_JWKS_FILE_IN_HAND"] == Self.first)
    let file = Descriptor(open(other, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600))
    writeOut(Self.second, to: file.raw)
    rename(other, path)
    #expect(ring.inHand["JWT_JWKS_FILE_IN_HAND"] == Self.second)
    #expect(knows(ring, "second"))
  }

  @Test(
    "§10 a file that has become unusable leaves the keys in hand",
    arguments: [
      "", "{", "{\"keys\":[]}", "{\"keys\":[{\"kty\":\"oct\"}]}",
    ])
  func brokenFile(text: String) throws {
    write(Self.first)
    defer { unlink(path) }
    let ring = try ring()
    write(text)
    ring.reload()
    #expect(knows(ring, "first"))
    unlink(path)
    ring.reload()
    #expect(knows(ring, "first"))
    write(Self.second)
    ring.reload()
    #expect(knows(ring, "second"))
  }

  @Test("§10 keys that the allow-list does not fit are not taken")
  func unfittingKeys() throws {
    write(Self.first)
    defer { unlink(path) }
    let ring = try ring(["JWT_ALGORITHMS": "ES256"])
    let secret = String(repeating: "s", count: 32)
    #expect(knows(ring, "first"))
    write(Self.second)
    ring.reload()
    #expect(knows(ring, "second"))
    #expect(
      faults(["JWT_SECRET": secret, "JWT_JWKS_FILE": path, "JWT_ALGORITHMS": "RS256"]).count == 1)
  }

  @Test("§10 a worker that starts while the file is broken has the supervisor's keys")
  func keysInHand() throws {
    write(Self.first)
    defer { unlink(path) }
    let inHand = try ring().inHand
    #expect(inHand == ["JWT_JWKS_FILE_IN_HAND": Self.first])
    write("{")
    #expect(throws: ConfigurationError.self) { try ring() }
    let worker = try ring(inHand.mapValues { Optional($0) })
    #expect(knows(worker, "first"))
    write(Self.second)
    worker.reload()
    #expect(knows(worker, "second"))
  }
}

private enum Base64Text {
  /// Base64url of ASCII.
  static func encode(_ text: String) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    var (bits, count, encoded) = (0, 0, "")
    for byte in text.utf8 {
      (bits, count) = (bits << 8 | Int(byte), count + 8)
      while count >= 6 {
        count -= 6
        encoded.append(alphabet[bits >> count & 63])
      }
    }
    if count > 0 { encoded.append(alphabet[bits << (6 - count) & 63]) }
    return encoded
  }
}
