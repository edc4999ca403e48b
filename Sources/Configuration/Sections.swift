// The settings that take more than one variable, or more than a number.

import HTTP
import JWT
import MySQL
import Redis
import System

extension Variables {
  /// One of a few words, in any case.
  mutating func choice(_ name: String, _ words: [String], standard: String) -> String {
    guard let text = optional(name)?.lowercased() else { return standard }
    if words.contains(text) { return text }
    fault(name, "must be one of \(words.joined(separator: ", "))")
    return standard
  }

  mutating func rateLimits() -> Configuration.RateLimits {
    func range() -> ClosedRange<Int> { 0...1_000_000_000 }
    return Configuration.RateLimits(
      tokenGenerate: number("RATE_LIMIT_TOKEN_GENERATE", range(), standard: 10),
      tokenRefresh: number("RATE_LIMIT_TOKEN_REFRESH", range(), standard: 10),
      callInitiate: number("RATE_LIMIT_CALL_INITIATE", range(), standard: 5),
      callHistory: number("RATE_LIMIT_CALL_HISTORY", range(), standard: 20),
      quality: number("RATE_LIMIT_QUALITY", range(), standard: 60),
      ticket: number("RATE_LIMIT_TICKET", range(), standard: 30),
      other: number("RATE_LIMIT_OTHER", range(), standard: 300))
  }

  /// Comma-separated, so that one can replace another. Agora makes them, so they are as long as they are.
  mutating func noticeSecrets() -> [[UInt8]] {
    let name = "AGORA_WEBHOOK_SECRET"
    let secrets = list(name).map { Array($0.utf8) }
    if optional(name) != nil, secrets.isEmpty { fault(name, "lists nothing") }
    if secrets.contains(where: { $0.contains { $0 < 0x20 } }) {
      fault(name, "has a control character, such as a line break, in it")
    }
    return secrets
  }

  mutating func mysql() -> MySQLOptions {
    let socket = optional("MYSQL_SOCKET")
    if let socket, !socket.hasPrefix("/") || socket.utf8.count > 107 {
      fault("MYSQL_SOCKET", "must be an absolute path of at most 107 bytes")
    }
    var options = MySQLOptions(
      socket: socket, user: plain("MYSQL_USER") ?? "chattrix",
      password: optional("MYSQL_PASSWORD") ?? "", database: required("MYSQL_DATABASE"))
    options.addresses = mysqlAddresses()
    checkPlain("MYSQL_DATABASE")
    return options
  }

  mutating func redis() -> [RedisAddress] {
    let standard = [RedisAddress.local]
    guard let urls = optional("REDIS_URL") else { return standard }
    do { return try RedisAddress.list(urls) } catch {
      fault("REDIS_URL", "\(error)")
      return standard
    }
  }

  /// - Returns: The keys, and the secret that `chattrix-ctl jwt` signs with: the first one.
  mutating func jwt() -> (KeyRing, [UInt8]?) {
    var policy = KeyPolicy()
    policy.secrets = secrets("JWT_SECRET")
    policy.files = [("JWT_PUBLIC_KEY_FILE", KeyFile.Format.pem), ("JWT_JWKS_FILE", .jwks)]
      .compactMap { name, format in
        optional(name).map { KeyFile(variable: name, path: $0, format: format) }
      }
    (policy.issuer, policy.audience) = (plain("JWT_ISSUER"), plain("JWT_AUDIENCE"))
    if optional("JWT_SECRET") == nil, policy.files.isEmpty {
      fault("JWT_SECRET", "is required, or JWT_PUBLIC_KEY_FILE, or JWT_JWKS_FILE")
    }
    var keys = JWTKeySet()
    for secret in policy.secrets { try? keys.add(secret: secret) }
    let identities = policy.files.map { FileIdentity(path: $0.path) }
    var (texts, passedOver): ([String], [String]) = ([], [])
    for file in policy.files {
      let (text, found) = load(file, into: &keys)
      texts.append(text)
      passedOver += found.map { "\(file.variable): \($0)" }
    }
    policy.algorithms = algorithms(of: keys)
    let verifier =
      policy.verifier(keys) ?? JWTVerifier(keys: keys, algorithms: keys.algorithms)
    let ring = KeyRing(
      policy, verifier: verifier, texts: texts, identities: identities, passedOver: passedOver)
    return (ring, policy.secrets.first)
  }

  /// Comma-separated. A value with a part that is too short for a secret is one secret, which has a comma
  /// in it: so it was before there could be several. A line break is what a file was read into the variable with: no token was ever
  /// signed so.
  private mutating func secrets(_ name: String) -> [[UInt8]] {
    guard let whole = optional(name) else { return [] }
    let parts = list(name).map { Array($0.utf8) }
    let isList =
      !parts.isEmpty && parts.allSatisfy { $0.count >= JWTKeySet.minimumSecretLength }
    let secrets = isList ? parts : [Array(whole.utf8)]
    if secrets.contains(where: { $0.contains { $0 < 0x20 } }) {
      fault(name, "has a control character, such as a line break, in it")
    }
    var keys = JWTKeySet()
    do { for secret in secrets { try keys.add(secret: secret) } } catch { fault(name, "\(error)") }
    return secrets
  }

  /// The file's keys; where it cannot be used, those that the supervisor has handed on.
  private mutating func load(_ file: KeyFile, into keys: inout JWTKeySet) -> (
    String, [PassedOverKey]
  ) {
    var reason = ""
    var known = keys
    do {
      let text = try file.read()
      let passedOver = try file.add(text, to: &known)
      keys = known
      return (text, passedOver)
    } catch let error as SystemError { reason = "cannot be read: \(error)" } catch {
      reason = "\(error)"
    }
    if let text = optional(file.inHandVariable), let found = try? file.add(text, to: &keys) {
      return (text, found)
    }
    fault(file.variable, reason)
    return ("", [])
  }

  /// The allow-list; nil without one.
  private mutating func algorithms(of keys: JWTKeySet) -> Set<JWTAlgorithm>? {
    let names = list("JWT_ALGORITHMS")
    if names.isEmpty { return nil }
    var algorithms: Set<JWTAlgorithm> = []
    for name in names {
      if let algorithm = JWTAlgorithm(rawValue: name) {
        algorithms.insert(algorithm)
      } else {
        let known = JWTAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")
        fault("JWT_ALGORITHMS", "may list \(known)")
        return nil
      }
    }
    if algorithms.isDisjoint(with: keys.algorithms), !keys.algorithms.isEmpty {
      fault("JWT_ALGORITHMS", "lists nothing that there is a key for")
    }
    return algorithms
  }

  mutating func signaling() -> Configuration.SignalingSettings {
    Configuration.SignalingSettings(
      address: address("SIGNALING_ADDRESS", standard: .tcp(host: "127.0.0.1", port: 9502)),
      messagesPerSecond: number("SIGNALING_MESSAGES_PER_SECOND", 0...1_000_000, standard: 20),
      connectionsPerUser: number("SIGNALING_CONNECTIONS_PER_USER", 0...1_000_000, standard: 20),
      connectionsPerAddress: number(
        "SIGNALING_CONNECTIONS_PER_ADDRESS", 0...1_000_000, standard: 1000),
      chatExpires: choice("SIGNALING_CHAT_EXPIRES", ["0", "1"], standard: "0") == "1")
  }

  mutating func origins() -> Set<String> {
    let origins = list("ALLOWED_ORIGINS")
    let normalized = origins.compactMap { HTTPOrigin.normalized($0) }
    if normalized.count < origins.count {
      fault(
        "ALLOWED_ORIGINS",
        "must list origins such as https://app.example.com, without a path or a slash at the end")
    }
    return Set(normalized)
  }

  mutating func logLevel() -> LogLevel {
    guard let name = optional("LOG_LEVEL") else { return .info }
    if let level = LogLevel(name: name) { return level }
    fault("LOG_LEVEL", "must be one of debug, info, warning, error")
    return .info
  }
}
