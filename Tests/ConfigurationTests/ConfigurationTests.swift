// What the programs read from the environment (R14, design §6).

import MySQL
import Redis
import System
import Testing

@testable import Configuration

@Suite struct ConfigurationTests {
  @Test("R14.1–R14.4 with the required variables alone, the defaults")
  func defaults() throws {
    let found = try configuration()
    #expect(found.agoraAppId == required["AGORA_APP_ID"])
    #expect(found.agoraAppCertificate == required["AGORA_APP_CERTIFICATE"])
    #expect(found.tokenExpirationSeconds == 3600)
    #expect(!found.tokensForAnyChannel)
    #expect(found.agoraWebhookSecrets.isEmpty)
    #expect(found.agoraAbsenceSeconds == 20)
    #expect(found.callTimeoutSeconds == 60)
    #expect(found.maximumCallSeconds == 7200)
    #expect(
      found.limits
        == Configuration.RateLimits(
          tokenGenerate: 10, tokenRefresh: 10, callInitiate: 5, callHistory: 20, quality: 60,
          ticket: 30, other: 300))
    #expect(
      found.mysql
        == MySQLOptions(
          host: "127.0.0.1", port: 3306, socket: nil, user: "chattrix", password: "",
          database: "chattrix"))
    #expect(found.redis == [RedisAddress.local])
    #expect(found.jwtSecret == required["JWT_SECRET"].map { Array($0.utf8) })
    #expect(found.jwtIssuer == nil)
    #expect(found.jwtAudience == nil)
    #expect(found.signaling.address == .tcp(host: "127.0.0.1", port: 9502))
    #expect(found.signaling.messagesPerSecond == 20)
    #expect(!found.signaling.chatExpires)
    #expect(found.allowedOrigins.isEmpty)
    #expect(found.logLevel == .info)
    #expect((1...512).contains(found.workers))
  }

  @Test("R14.2 R14.4 limits and times as long as anybody sets them")
  func large() throws {
    let found = try configuration([
      "RATE_LIMIT_TOKEN_GENERATE": "1000000000", "RATE_LIMIT_CALL_INITIATE": "1000000",
      "CALL_TIMEOUT_SECONDS": "86400", "SIGNALING_MESSAGES_PER_SECOND": "1000000",
      "SIGNALING_CONNECTIONS_PER_USER": "1000000",
    ])
    #expect(found.limits.tokenGenerate == 1_000_000_000)
    #expect(found.limits.callInitiate == 1_000_000)
    #expect(found.callTimeoutSeconds == 86_400)
    #expect(found.signaling.messagesPerSecond == 1_000_000)
    #expect(found.signaling.connectionsPerUser == 1_000_000)
  }

  @Test("R14.1–R14.4 every variable counts")
  func variables() throws {
    let found = try configuration([
      "AGORA_APP_ID": "ABCDEF00abcdef00ABCDEF00abcdef00",
      "AGORA_TOKEN_EXPIRATION_SECONDS": "60", "CALL_TIMEOUT_SECONDS": "3",
      "MAX_CALL_DURATION_SECONDS": "10", "RATE_LIMIT_TOKEN_GENERATE": "1",
      "RATE_LIMIT_TOKEN_REFRESH": "2", "RATE_LIMIT_CALL_INITIATE": "3",
      "RATE_LIMIT_CALL_HISTORY": "4", "RATE_LIMIT_QUALITY": "5", "RATE_LIMIT_TICKET": "6",
      "RATE_LIMIT_OTHER": "7", "MYSQL_HOST": "db.internal", "MYSQL_PORT": "3307",
      "MYSQL_SOCKET": "/run/mysqld.sock", "MYSQL_USER": "me", "MYSQL_PASSWORD": "p w'\"",
      "REDIS_URL": "redis://:pw@redis.internal:6380/3", "JWT_ISSUER": "https://id.example",
      "JWT_AUDIENCE": "calls", "WORKERS": "3", "FASTCGI_SOCKET": "unix:/run/f.sock",
      "SIGNALING_ADDRESS": "unix:/run/s.sock", "SIGNALING_MESSAGES_PER_SECOND": "7",
      "ALLOWED_ORIGINS": "https://a.example, http://localhost:3000,", "TOKEN_CHANNELS": "ANY",
      "LOG_LEVEL": "Debug", "JWT_ALGORITHMS": "HS512,HS256",
      "AGORA_WEBHOOK_SECRET": "one, other", "AGORA_ABSENCE_SECONDS": "3600",
      "SIGNALING_CHAT_EXPIRES": "1",
    ])
    #expect(found.agoraAppId == "ABCDEF00abcdef00ABCDEF00abcdef00")
    #expect(found.tokenExpirationSeconds == 60)
    #expect(found.callTimeoutSeconds == 3)
    #expect(found.maximumCallSeconds == 10)
    #expect(
      found.limits
        == Configuration.RateLimits(
          tokenGenerate: 1, tokenRefresh: 2, callInitiate: 3, callHistory: 4, quality: 5, ticket: 6,
          other: 7))
    #expect(
      found.mysql
        == MySQLOptions(
          host: "db.internal", port: 3307, socket: "/run/mysqld.sock", user: "me",
          password: "p w'\"", database: "chattrix"))
    #expect(found.redis[0].socket == .tcp(host: "redis.internal", port: 6380))
    #expect(found.redis[0].database == 3)
    #expect(found.jwtIssuer == "https://id.example")
    #expect(found.jwtAudience == "calls")
    #expect(found.workers == 3)
    #expect(found.fastCGISocket == .unix(path: "/run/f.sock"))
    #expect(found.signaling.address == .unix(path: "/run/s.sock"))
    #expect(found.signaling.messagesPerSecond == 7)
    #expect(found.signaling.chatExpires)
    #expect(found.allowedOrigins == ["https://a.example", "http://localhost:3000"])
    #expect(found.tokensForAnyChannel)
    #expect(found.logLevel == .debug)
    #expect(found.agoraWebhookSecrets == [Array("one".utf8), Array("other".utf8)])
    #expect(found.agoraAbsenceSeconds == 3600)
  }

  @Test("R14 a limit of 0 is no limit; no maximum is a deadline far away")
  func zeros() throws {
    let limits = [
      "RATE_LIMIT_TOKEN_GENERATE", "RATE_LIMIT_TOKEN_REFRESH", "RATE_LIMIT_CALL_INITIATE",
      "RATE_LIMIT_CALL_HISTORY", "RATE_LIMIT_QUALITY", "RATE_LIMIT_TICKET", "RATE_LIMIT_OTHER",
      "SIGNALING_MESSAGES_PER_SECOND", "MAX_CALL_DURATION_SECONDS",
    ]
    let found = try configuration(Dictionary(uniqueKeysWithValues: limits.map { ($0, "0") }))
    #expect(
      found.limits
        == Configuration.RateLimits(
          tokenGenerate: 0, tokenRefresh: 0, callInitiate: 0, callHistory: 0, quality: 0, ticket: 0,
          other: 0))
    #expect(found.signaling.messagesPerSecond == 0)
    #expect(found.maximumCallSeconds > 86_400 * 365)
  }

  @Test("R14 an empty variable is one that is not set")
  func empty() throws {
    let names = [
      "CALL_TIMEOUT_SECONDS", "MYSQL_SOCKET", "REDIS_URL", "ALLOWED_ORIGINS", "LOG_LEVEL",
      "JWT_ALGORITHMS", "SIGNALING_ADDRESS", "SIGNALING_CHAT_EXPIRES", "JWT_PUBLIC_KEY_FILE",
    ]
    #expect(faults(Dictionary(uniqueKeysWithValues: names.map { ($0, "") })) == [])
    #expect(faults(["AGORA_APP_ID": ""]) == ["AGORA_APP_ID: is required"])
  }

  @Test(
    "§7.15 origins are compared by scheme, lower-case host and port: both of these match a browser's"
  )
  func origins() throws {
    let found = try configuration([
      "ALLOWED_ORIGINS": "https://Calls.Example.org:443,HTTP://localhost:80,https://a.example:8443"
    ])
    #expect(
      found.allowedOrigins == [
        "https://calls.example.org", "http://localhost", "https://a.example:8443",
      ])
  }

  @Test("§10 several secrets; `chattrix-ctl jwt` signs with the first")
  func secrets() throws {
    let (one, other) = (String(repeating: "1", count: 32), String(repeating: "2", count: 32))
    #expect(try configuration(["JWT_SECRET": "\(one), \(other)"]).jwtSecret == Array(one.utf8))
    let comma = "a secret of thirty-two bytes, at least"
    #expect(try configuration(["JWT_SECRET": comma]).jwtSecret == Array(comma.utf8))
  }

  @Test("R14 localhost with a port is a port, and without one the client library's own socket")
  func localhost() throws {
    func usesTCP(_ variables: [String: String]) throws -> Bool {
      try configuration(variables).mysql.addresses[0].usesTCP
    }
    #expect(try usesTCP([:]))
    #expect(try !usesTCP(["MYSQL_HOST": "localhost"]))
    #expect(try usesTCP(["MYSQL_HOST": "localhost", "MYSQL_PORT": "3307"]))
    #expect(try usesTCP(["MYSQL_HOST": "localhost:3306"]))
    for host in ["::1", "db.internal", "10.0.0.1"] { #expect(try usesTCP(["MYSQL_HOST": host])) }
  }

  @Test("§10 the nodes of a cluster, each with a port of its own or MYSQL_PORT")
  func nodes() throws {
    let found = try configuration([
      "MYSQL_HOST": "a.internal, b:3307,[::1]:3308,[fe80::1],::1,10.0.0.1", "MYSQL_PORT": "4000",
    ])
    #expect(
      found.mysql.addresses == [
        MySQLAddress(host: "a.internal", port: 4000), MySQLAddress(host: "b", port: 3307),
        MySQLAddress(host: "::1", port: 3308), MySQLAddress(host: "fe80::1", port: 4000),
        MySQLAddress(host: "::1", port: 4000), MySQLAddress(host: "10.0.0.1", port: 4000),
      ])
  }

  @Test("§7.12 lists are comma-separated, blanks around their elements dropped")
  func lists() throws {
    let found = try configuration([
      "ALLOWED_ORIGINS": " https://a.example ,https://b.example:8443,, capacitor://localhost "
    ])
    #expect(
      found.allowedOrigins == [
        "https://a.example", "https://b.example:8443", "capacitor://localhost",
      ])
  }
}
