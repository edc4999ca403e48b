// What the sidecar can be told, and what it is given by the program that wires it.

import Calls
import Exposition
import HTTP
import Redis
import System

package struct SignalingSettings: Sendable {
  package var server = ServerSettings()
  /// Frames of one connection; more than twice that in a second closes it. 0 is no limit.
  package var messagesPerSecond = 20
  /// Connections of one user; 0 is no limit.
  package var connectionsPerUser = 20
  /// Connections from one address; 0 is no limit.
  package var connectionsPerAddress = 1000
  /// Web origins that may connect, normalized (`HTTPOrigin`); empty is the host's own only.
  package var allowedOrigins: Set<String> = []
  /// How long a call rings.
  package var ringSeconds = 60
  /// Threads that read, and as many that write.
  package var databaseThreads = 4
  /// Whether a socket on /ws/chat ends with its login as well: the existing app cannot renew it.
  package var chatExpires = false
  /// Logins that end, or are given notice of it, in a quarter of a second: ten thousand that end at once
  /// would hold up everybody else's events for 0.3 s.
  package var endsPerTick = 1000
  /// How often connected users are noted as present.
  package var presenceSeconds = 30
  /// Whether the number of each user's sockets is kept in Redis: where invitations are sent as webhooks.
  package var keepsRoster = false

  package init() {}
}

package struct SignalingServices: Sendable {
  /// The login that the token of `Authorization: Bearer` shows.
  /// - Throws: `CallError.authenticationFailed`.
  package var loginOfHeaders: @Sendable (HTTPHeaders) throws(CallError) -> Login
  /// The login that a bare JWT shows.
  /// - Throws: `CallError.authenticationFailed`.
  package var loginOfToken: @Sendable (String) throws(CallError) -> Login
  /// The answer to a request that is granted.
  package var success: @Sendable (_ data: [UInt8], _ requestId: String) -> HTTPResponse
  /// The answer to a request that is refused, by the product's one error table.
  package var refusal: @Sendable (CallError, _ requestId: String) -> HTTPResponse
  /// Reads again what can change while the program runs (SIGHUP).
  package var reload: @Sendable () -> Void
  /// Called once on each thread that needs one.
  package var makeBackend: @Sendable () -> any Backend
  /// nil where there is no Redis: hints are then only polled for.
  package var redis: [RedisAddress]?
  package var log: Log
  package var randomness: Randomness
  /// The clock that logins are judged by, as the verifier of their tokens does.
  package var now: @Sendable () -> Timestamp
  /// Where failures of Redis are counted.
  package var counters: CounterSlot
  /// Adds what the backends have counted.
  package var writeMetrics: @Sendable (inout Exposition) -> Void

  package init(
    loginOfHeaders: @escaping @Sendable (HTTPHeaders) throws(CallError) -> Login,
    loginOfToken: @escaping @Sendable (String) throws(CallError) -> Login,
    success: @escaping @Sendable (_ data: [UInt8], _ requestId: String) -> HTTPResponse,
    refusal: @escaping @Sendable (CallError, _ requestId: String) -> HTTPResponse,
    reload: @escaping @Sendable () -> Void = {},
    makeBackend: @escaping @Sendable () -> any Backend, redis: [RedisAddress]?, log: Log,
    randomness: Randomness = .system, now: @escaping @Sendable () -> Timestamp = { .now() },
    counters: CounterSlot = .none,
    writeMetrics: @escaping @Sendable (inout Exposition) -> Void = { _ in }
  ) {
    (self.loginOfHeaders, self.loginOfToken) = (loginOfHeaders, loginOfToken)
    (self.success, self.now) = (success, now)
    (self.refusal, self.reload, self.makeBackend) = (refusal, reload, makeBackend)
    (self.redis, self.log, self.randomness) = (redis, log, randomness)
    (self.counters, self.writeMetrics) = (counters, writeMetrics)
  }
}
