// The far side of a sidecar under test: an outbox, presence and calls in memory, shared by the
// sidecar's threads and the test, which can make it fail.

import Calls
import Glibc
import HTTP
import Signaling
import Storage
import Synchronization
import System

final class World: Sendable {
  struct State {
    var events: [String: [StoredEvent]] = [:]
    /// Rising per user, as in the database.
    var lastEventId: [String: Int64] = [:]
    var activeCalls: [String: String] = [:]
    var unseenMissed: [String: Int] = [:]
    /// Tokens, as ``World/login(_:)`` reads them, by ticket.
    var tickets: [String: String] = [:]
    var isDown = false
    /// By how much its clock is ahead of this host's.
    var clockMilliseconds: Int64 = 0
    /// How many attempts to mark a call as ringing fail from now on.
    var failuresToRing = 0
    var ringing: [String] = []
    var touched: [String] = []
    /// Whoever notes presence waits at the gate.
    var isTouchHeld = false
    /// The database answers and takes no writes; Redis likewise.
    var isReadOnly = false
    /// Until then, by the monotonic clock, whoever reads sees no event, as at a node that lags behind.
    var blindUntilMilliseconds: Int64 = 0
    /// Nobody is found to have had an event lately.
    var isPollBlind = false
    var isRedisFull = false
    var performed: [Performed] = []
    var fetches = 0
    /// Sockets of each user, as the sidecar wrote them, and by which name.
    var roster: [String: Int] = [:]
    var rosterServers: Set<String> = []
    var failuresToList = 0
    var now: Timestamp {
      Timestamp(milliseconds: Timestamp.now().milliseconds + clockMilliseconds)
    }
    var answer: @Sendable (HTTPRequest) -> HTTPResponse = { _ in
      .json(Array(#"{"success":true,"data":{"status":"connecting"}}"#.utf8))
    }
  }

  struct Performed: Sendable {
    var request: HTTPRequest
    var userId: String
    var connectionId: String
    var deviceId: String?
  }

  /// What holds up one of the sidecar's threads for as long as the test wants it.
  final class Gate: Sendable {
    private let waiting = Atomic(0)
    private let isOpen = Atomic(false)

    /// Whether a thread stands before it, or has gone through.
    var isReached: Bool { waiting.load(ordering: .sequentiallyConsistent) > 0 }

    func open() { isOpen.store(true, ordering: .sequentiallyConsistent) }

    /// Goes on after a minute at the latest.
    func pass() {
      waiting.add(1, ordering: .sequentiallyConsistent)
      for _ in 0..<60_000 where !isOpen.load(ordering: .sequentiallyConsistent) { usleep(1000) }
    }
  }

  let gate = Gate()

  private let state = Mutex(State())
  /// By how much the clock that logins are judged by is ahead of this host's, in milliseconds.
  private let clock = Atomic<Int64>(0)

  /// The time that logins are judged by.
  var now: Timestamp {
    Timestamp(milliseconds: Timestamp.now().milliseconds + clock.load(ordering: .relaxed))
  }

  /// Sets that clock forward, or back.
  func step(seconds: Int64) { clock.wrappingAdd(seconds * 1000, ordering: .relaxed) }

  static func token(_ user: String, until end: Timestamp?) -> String {
    end.map { "until:\($0.milliseconds):\(user)" } ?? "user:\(user)"
  }

  /// The login of a token, whatever the time; nil for one that is bad.
  static func login(_ token: String) -> Login? {
    if token.hasPrefix("user:") || token.hasPrefix("user.") {
      return Login(userId: String(token.dropFirst(5)), endsAtSeconds: nil)
    }
    let parts = token.split(separator: ":", maxSplits: 2)
    guard parts.count == 3, parts[0] == "until", let end = Int64(parts[1]) else { return nil }
    return Login(userId: String(parts[2]), endsAtSeconds: end / 1000)
  }

  func with<Value>(_ body: (inout sending State) -> sending Value) -> sending Value {
    state.withLock { body(&$0) }
  }

  var ringing: [String] { with { $0.ringing } }
  var touched: [String] { with { $0.touched } }
  var performed: [Performed] { with { $0.performed } }

  /// Puts an event into the outbox.
  @discardableResult
  func emit(
    _ type: String, to user: String, callId: String? = "call", data: String = "{}",
    device: String? = nil, connection: String? = nil
  ) -> Int64 {
    with { state in
      let id = state.lastEventId[user, default: 0] + 1
      state.lastEventId[user] = id
      state.events[user, default: []].append(
        StoredEvent(
          userId: user, eventId: id, type: type, callId: callId, data: Array(data.utf8),
          createdAt: state.now, originDevice: device, originConnection: connection))
      return id
    }
  }
}

struct WorldBackend: Backend {
  struct Down: Error {}

  let world: World

  private func ask<Value>(_ body: (inout World.State) -> Value) throws -> Value {
    var value: Value?
    world.with { state in
      if !state.isDown { value = body(&state) }
    }
    guard let value else { throw Down() }
    return value
  }

  func openings(of userIds: [String]) throws -> [Opening] {
    try ask { state in
      userIds.map { userId in
        let events = state.events[userId] ?? []
        let call = state.activeCalls[userId]
        return Opening(
          lastEventId: state.lastEventId[userId] ?? 0, oldestEventId: events.first?.eventId,
          unseenMissed: state.unseenMissed[userId] ?? 0,
          activeCall: call.map { Array(#"{"callId":"\#($0)","callType":"video"}"#.utf8) },
          invitation: events.last { $0.type == "call_invitation" && $0.callId == call })
      }
    }
  }

  func events(of userId: String, after: Int64, limit: Int) throws -> [StoredEvent] {
    try ask { state in
      state.fetches += 1
      if MonotonicClock.milliseconds() < state.blindUntilMilliseconds { return [] }
      let all = state.events[userId] ?? []
      return Array(all.filter { $0.eventId > after }.prefix(limit))
    }
  }

  func usersWithEvents(sinceMilliseconds: Int) throws -> [(userId: String, lastEventId: Int64)] {
    try ask { state in
      if state.isPollBlind { return [] }
      let since = state.now.milliseconds - Int64(sinceMilliseconds)
      return state.events.compactMap { user, events in
        guard let last = events.last, last.createdAt.milliseconds >= since else { return nil }
        return (user, last.eventId)
      }
    }
  }

  func checkDatabase() throws {
    if try ask({ $0.isReadOnly }) { throw Down() }
  }

  func checkRedis() throws {
    if try ask({ $0.isRedisFull }) { throw Down() }
  }

  func noteRoster(_ counts: [(userId: String, sockets: Int)], server: String) throws {
    let isDone = try ask { state in
      state.failuresToList -= 1
      guard state.failuresToList < 0 else { return false }
      for (userId, sockets) in counts { state.roster[userId] = sockets }
      return true
    }
    if !isDone { throw Down() }
  }

  func keepRosterAlive(server: String) throws {
    try ask { _ = $0.rosterServers.insert(server) }
  }

  func leaveRoster(server: String) throws { try ask { _ = $0.rosterServers.remove(server) } }

  func touch(_ users: [String]) throws {
    if try ask({ $0.isTouchHeld }) { world.gate.pass() }
    try ask { $0.touched += users }
  }

  func markRinging(_ callId: String) throws {
    let isDone = try ask { state in
      state.failuresToRing -= 1
      if state.failuresToRing < 0 { state.ringing.append(callId) }
      return state.failuresToRing < 0
    }
    if !isDone { throw Down() }
  }

  func redeem(ticket: String) throws -> Login? {
    try ask { $0.tickets.removeValue(forKey: ticket).flatMap { World.login($0) } }
  }

  func perform(
    _ request: HTTPRequest, as userId: String, connectionId: String, deviceId: String?
  ) -> HTTPResponse {
    let answer = world.with { state in
      state.performed.append(
        World.Performed(
          request: request, userId: userId, connectionId: connectionId, deviceId: deviceId))
      return state.answer
    }
    return answer(request)
  }
}
