// Every setting of the four programs (R14, design §6): environment variables only, all faults at
// once. The one place that knows their names, defaults and ranges.

import JWT
import MySQL
import Redis
import System

/// What is wrong with the environment; `lines` go to standard error, and the program ends with
/// `exitStatus`.
package struct ConfigurationError: Error, Equatable {
  /// EX_CONFIG of sysexits.h.
  package static let exitStatus: Int32 = 78

  /// One fault each.
  package let lines: [String]
}

package struct Configuration: Sendable {
  package var agoraAppId: String
  package var agoraAppCertificate: String
  /// 60…86400.
  package var tokenExpirationSeconds: Int
  /// TOKEN_CHANNELS=any: tokens are given for channels that belong to no call as well.
  package var tokensForAnyChannel: Bool
  /// Of Agora's notices (contract §9.1); empty where none are taken.
  package var agoraWebhookSecrets: [[UInt8]]
  /// How long neither participant of a call may be in Agora's channel: 1…3600.
  package var agoraAbsenceSeconds: Int

  /// How long a call rings.
  package var callTimeoutSeconds: Int
  /// How long an accepted call may last.
  package var maximumCallSeconds: Int

  package var limits: RateLimits
  package var mysql: MySQLOptions
  /// In the order in which they are tried.
  package var redis: [RedisAddress]
  package var jwt: KeyRing
  /// Signs the tokens of `chattrix-ctl jwt`; nil where there are public keys only.
  package var jwtSecret: [UInt8]?
  package var jwtIssuer: String?
  package var jwtAudience: String?

  package var workers: Int
  package var fastCGISocket: SocketAddress
  package var signaling: SignalingSettings
  package var delivery: Delivery
  /// Web origins that may use the API and the socket, normalized (`HTTPOrigin`).
  package var allowedOrigins: Set<String>
  package var logLevel: LogLevel
  /// Days that quality samples are kept; 0 is for ever.
  package var qualityRetentionDays: Int
  /// Days that audit rows are kept; 0 is for ever.
  package var auditRetentionDays: Int

  /// Requests per user in any 60 s; 0 is no limit.
  package struct RateLimits: Sendable, Equatable {
    package var tokenGenerate: Int
    package var tokenRefresh: Int
    package var callInitiate: Int
    package var callHistory: Int
    package var quality: Int
    package var ticket: Int
    /// All other routes together.
    package var other: Int
  }

  package struct SignalingSettings: Sendable, Equatable {
    package var address: SocketAddress
    /// Frames of one connection; more than twice that in a second closes it. 0 is no limit.
    package var messagesPerSecond: Int
    /// Connections of one user; 0 is no limit.
    package var connectionsPerUser: Int
    /// Connections from one address; 0 is no limit.
    package var connectionsPerAddress: Int
    /// SIGNALING_CHAT_EXPIRES=1: a socket on /ws/chat ends with its login as well.
    package var chatExpires: Bool
  }

  /// An accepted call without a maximum still has a deadline: ten years.
  private static let noMaximumSeconds = 315_360_000

  /// - Throws: `ConfigurationError` with every fault.
  package init(environment: [String: String]) throws(ConfigurationError) {
    var from = Variables(environment)
    agoraAppId = from.requiredHexadecimal("AGORA_APP_ID")
    agoraAppCertificate = from.requiredHexadecimal("AGORA_APP_CERTIFICATE")
    tokenExpirationSeconds = from.number(
      "AGORA_TOKEN_EXPIRATION_SECONDS", 60...86_400, standard: 3600)
    tokensForAnyChannel =
      from.choice("TOKEN_CHANNELS", ["calls", "any"], standard: "calls") == "any"
    agoraWebhookSecrets = from.noticeSecrets()
    agoraAbsenceSeconds = from.number("AGORA_ABSENCE_SECONDS", 1...3600, standard: 20)
    callTimeoutSeconds = from.number("CALL_TIMEOUT_SECONDS", 1...86_400, standard: 60)
    let maximum = from.number("MAX_CALL_DURATION_SECONDS", 0...31_536_000, standard: 7200)
    maximumCallSeconds = maximum == 0 ? Self.noMaximumSeconds : maximum
    limits = from.rateLimits()
    mysql = from.mysql()
    redis = from.redis()
    (jwt, jwtSecret) = from.jwt()
    jwtIssuer = from.optional("JWT_ISSUER")
    jwtAudience = from.optional("JWT_AUDIENCE")
    workers = from.number("WORKERS", 1...512, standard: 8)
    fastCGISocket = from.address(
      "FASTCGI_SOCKET", standard: .unix(path: "/run/chattrix/fastcgi.sock"))
    signaling = from.signaling()
    if signaling.address == fastCGISocket {
      from.fault("SIGNALING_ADDRESS", "is FASTCGI_SOCKET's address as well")
    }
    delivery = from.delivery()
    allowedOrigins = from.origins()
    logLevel = from.logLevel()
    qualityRetentionDays = from.number("QUALITY_RETENTION_DAYS", 0...36_500, standard: 90)
    auditRetentionDays = from.number("AUDIT_RETENTION_DAYS", 0...36_500, standard: 365)
    // A call's samples are averaged at its end.
    if qualityRetentionDays > 0, maximum > qualityRetentionDays * 86_400 {
      from.fault(
        "QUALITY_RETENTION_DAYS", "must be 0 or cover MAX_CALL_DURATION_SECONDS")
    }
    if !from.faults.isEmpty { throw ConfigurationError(lines: from.faults) }
  }

  /// Reads this process's environment, or ends it with `EX_CONFIG` and the faults on standard error.
  package static func loadOrExit(program: String) -> Configuration {
    do throws(ConfigurationError) {
      return try Configuration(environment: processEnvironment())
    } catch {
      for line in error.lines {
        writeOut("\(program): configuration: \(line)\n", to: 2)
      }
      exitProcess(ConfigurationError.exitStatus)
    }
  }
}
