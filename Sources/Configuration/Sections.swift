// The settings that take more than one variable, or more than a number.

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
      callHistory: number("RATE_LIMIT_CALL_HISTORY", range(), standard: 20))
  }

  mutating func mysql() -> MySQLOptions {
    let socket = optional("MYSQL_SOCKET")
    if let socket, !socket.hasPrefix("/") || socket.utf8.count > 107 {
      fault("MYSQL_SOCKET", "must be an absolute path of at most 107 bytes")
    }
    return MySQLOptions(
      host: optional("MYSQL_HOST") ?? "127.0.0.1",
      port: UInt16(number("MYSQL_PORT", 1...65_535, standard: 3306)), socket: socket,
      user: optional("MYSQL_USER") ?? "chattrix", password: optional("MYSQL_PASSWORD") ?? "",
      database: required("MYSQL_DATABASE"))
  }

  mutating func redis() -> RedisAddress {
    let standard = RedisAddress.local
    guard let url = optional("REDIS_URL") else { return standard }
    do { return try RedisAddress(url: url) } catch {
      fault("REDIS_URL", "\(error)")
      return standard
    }
  }

  mutating func jwt() -> (JWTVerifier, [UInt8]?) {
    var keys = JWTKeySet()
    let secret = optional("JWT_SECRET").map { Array($0.utf8) }
    if let secret {
      do { try keys.add(secret: secret) } catch { fault("JWT_SECRET", "\(error)") }
    }
    if let text = keyFile("JWT_PUBLIC_KEY_FILE") {
      do { try keys.add(pem: text) } catch { fault("JWT_PUBLIC_KEY_FILE", "\(error)") }
    }
    if let text = keyFile("JWT_JWKS_FILE") {
      do { try keys.add(jwks: text) } catch { fault("JWT_JWKS_FILE", "\(error)") }
    }
    if ["JWT_SECRET", "JWT_PUBLIC_KEY_FILE", "JWT_JWKS_FILE"].allSatisfy({ optional($0) == nil }) {
      fault("JWT_SECRET", "is required, or JWT_PUBLIC_KEY_FILE, or JWT_JWKS_FILE")
    }
    let verifier = JWTVerifier(
      keys: keys, algorithms: algorithms(of: keys), issuer: optional("JWT_ISSUER"),
      audience: optional("JWT_AUDIENCE"))
    return (verifier, secret)
  }

  private mutating func keyFile(_ name: String) -> String? {
    guard let path = optional(name) else { return nil }
    do throws(SystemError) {
      return String(decoding: try readFile(path, limit: 65_536), as: UTF8.self)
    } catch {
      fault(name, "cannot be read: \(error)")
      return nil
    }
  }

  /// The allow-list; without one, every algorithm that there is a key for.
  private mutating func algorithms(of keys: JWTKeySet) -> Set<JWTAlgorithm> {
    let names = list("JWT_ALGORITHMS")
    if names.isEmpty { return keys.algorithms }
    var algorithms: Set<JWTAlgorithm> = []
    for name in names {
      if let algorithm = JWTAlgorithm(rawValue: name) {
        algorithms.insert(algorithm)
      } else {
        let known = JWTAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")
        fault("JWT_ALGORITHMS", "may list \(known)")
        return keys.algorithms
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
        "SIGNALING_CONNECTIONS_PER_ADDRESS", 0...1_000_000, standard: 1000))
  }

  mutating func origins() -> Set<String> {
    let origins = list("ALLOWED_ORIGINS")
    for origin in origins {
      let parts = origin.split(separator: "/", omittingEmptySubsequences: false)
      if parts.count != 3 || !parts[0].hasSuffix(":") || !parts[1].isEmpty || parts[2].isEmpty {
        fault("ALLOWED_ORIGINS", "must list origins such as https://app.example.com")
        break
      }
    }
    return Set(origins)
  }

  mutating func logLevel() -> LogLevel {
    guard let name = optional("LOG_LEVEL") else { return .info }
    if let level = LogLevel(name: name) { return level }
    fault("LOG_LEVEL", "must be one of debug, info, warning, error")
    return .info
  }
}
