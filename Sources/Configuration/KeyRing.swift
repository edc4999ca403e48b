// The keys that logins are verified with, as they are now (contract §10): shared secrets from the environment
// and public keys from files, which are read again when they change. A request sees one set or the other.

import Crypto
import JSON
import JWT
import Synchronization
import System

/// A file of public keys.
struct KeyFile: Sendable {
  enum Format { case pem, jwks }

  /// The environment variable that names it.
  let variable: String
  let path: String
  let format: Format

  private static let limitBytes = 65_536

  /// Where the supervisor hands a worker the text that it has read last: for one that starts while the
  /// file cannot be used.
  var inHandVariable: String { "\(variable)_IN_HAND" }

  func read() throws(SystemError) -> String {
    String(decoding: try readFile(path, limit: Self.limitBytes), as: UTF8.self)
  }

  /// - Returns: What was passed over.
  func add(_ text: String, to keys: inout JWTKeySet) throws(JWTKeyError) -> [PassedOverKey] {
    switch format {
    case .pem:
      try keys.add(pem: text)
      return []
    case .jwks: return try keys.add(jwks: text)
    }
  }
}

/// What a verifier is made of besides the files.
struct KeyPolicy: Sendable {
  var secrets: [[UInt8]] = []
  var files: [KeyFile] = []
  /// nil for every algorithm that there is a key for.
  var algorithms: Set<JWTAlgorithm>?
  var issuer: String?
  var audience: String?

  /// - Returns: nil where the allow-list fits none of the keys.
  func verifier(_ keys: JWTKeySet) -> JWTVerifier? {
    if let algorithms, algorithms.isDisjoint(with: keys.algorithms) { return nil }
    return JWTVerifier(
      keys: keys, algorithms: algorithms ?? keys.algorithms, issuer: issuer, audience: audience)
  }
}

package final class KeyRing: Sendable {
  private struct State {
    var verifier: JWTVerifier
    /// Of each file, as it was read.
    var texts: [String]
    /// Of each file when it was last looked at, usable or not.
    var identities: [FileIdentity?]
    var checkedAt: Int64
    var log: Log?
  }

  private let policy: KeyPolicy
  /// Entries of key sets that the start passed over.
  package let passedOver: [String]
  private let state: Mutex<State>

  /// How often the files are looked at, while the keys are in use.
  private static let intervalMilliseconds: Int64 = 5000

  /// - Parameters:
  ///   - texts: Of the policy's files, in their order.
  ///   - passedOver: Entries of key sets, for the log.
  init(
    _ policy: KeyPolicy, verifier: JWTVerifier, texts: [String], identities: [FileIdentity?],
    passedOver: [String]
  ) {
    self.policy = policy
    self.passedOver = passedOver
    state = Mutex(
      State(
        verifier: verifier, texts: texts, identities: identities,
        checkedAt: MonotonicClock.milliseconds(), log: nil))
  }

  /// From here on changes are logged; what was passed over at the start is logged now.
  package func start(log: Log) {
    state.withLock { $0.log = log }
    for key in passedOver { log.warning("jwt_key_passed_over", ["key": .string(key)]) }
  }

  /// The keys of this moment.
  package var verifier: JWTVerifier {
    state.withLock { state in
      let now = MonotonicClock.milliseconds()
      if !policy.files.isEmpty, now - state.checkedAt >= Self.intervalMilliseconds {
        state.checkedAt = now
        refresh(&state, isForced: false)
      }
      return state.verifier
    }
  }

  /// Looks at the files at once, as a reload asks for.
  package func reload() {
    state.withLock { refresh(&$0, isForced: true) }
  }

  /// The texts that are in use, by the variables in which a worker finds them.
  package var inHand: [String: String] {
    state.withLock { state in
      refresh(&state, isForced: false)
      return Dictionary(
        uniqueKeysWithValues: zip(policy.files.map(\.inHandVariable), state.texts))
    }
  }

  /// A file that cannot be used is logged, once for each change of it, and the keys in hand stay.
  private func refresh(_ state: inout State, isForced: Bool) {
    let identities = policy.files.map { FileIdentity(path: $0.path) }
    guard isForced || identities != state.identities else { return }
    state.identities = identities
    var keys = JWTKeySet()
    var texts: [String] = []
    var passedOver: [PassedOverKey] = []
    do {
      for secret in policy.secrets { try keys.add(secret: secret) }
      for file in policy.files {
        do {
          texts.append(try file.read())
          passedOver += try file.add(texts.last ?? "", to: &keys)
        } catch {
          state.log?.error(
            "jwt_keys_unusable",
            ["setting": .string(file.variable), "error": .string("\(error)")])
          return
        }
      }
    } catch { return }
    guard texts != state.texts else { return }
    guard let verifier = policy.verifier(keys) else {
      state.log?.error("jwt_keys_unusable", ["error": "JWT_ALGORITHMS lists nothing that fits"])
      return
    }
    (state.verifier, state.texts) = (verifier, texts)
    state.log?.info("jwt_keys_changed")
    for key in passedOver {
      state.log?.warning("jwt_key_passed_over", ["key": .string(key.description)])
    }
  }
}
