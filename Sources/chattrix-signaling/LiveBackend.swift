// The sidecar's far side as it really is: one thread's connections to MySQL and Redis, and the REST
// application over them, which answers commands.

import API
import Calls
import Configuration
import HTTP
import JSON
import MySQL
import Redis
import Signaling
import Storage
import System

struct LiveBackend: Backend {
  private let database: Database
  private let outbox: Outbox
  private let presence: Presence
  private let calls: CallStore
  private let redis: RedisConnection
  private let roster: ConnectionRoster
  private let application: Application

  init(_ configuration: Configuration, counters: CounterSlot, log: Log) {
    database = Database(
      configuration.mysql, recording: configuration.delivery.recording, counters: counters)
    redis = RedisConnection(addresses: configuration.redis, counters: counters)
    roster = ConnectionRoster(redis)
    outbox = Outbox(database)
    presence = Presence(database)
    calls = CallStore(
      database, settings: CallSettings(configuration),
      hints: Hints(redis: redis, recording: database.recording))
    application = Application(
      APISettings(configuration), authenticator: Authenticator(configuration.jwt),
      database: database, redis: redis, counters: counters, log: log)
  }

  /// Of the commands, by the numbers that they are counted under.
  var routeNames: [RequestCounters.RouteName] { application.routeNames }

  func openings(of userIds: [String]) throws -> [Opening] {
    try outbox.snapshots(of: userIds).map { snapshot in
      Opening(
        lastEventId: snapshot.lastEventId, oldestEventId: snapshot.oldestEventId,
        unseenMissed: snapshot.unseenMissed,
        activeCall: snapshot.activeCall.map { details in
          var json = JSONWriter(reserving: 512)
          details.write(to: &json)
          return json.bytes
        }, invitation: snapshot.invitation)
    }
  }

  func events(of userId: String, after: Int64, limit: Int) throws -> [StoredEvent] {
    try outbox.events(of: userId, after: after, limit: limit)
  }

  func usersWithEvents(sinceMilliseconds: Int) throws -> [(userId: String, lastEventId: Int64)] {
    try outbox.usersWithEvents(sinceMilliseconds: sinceMilliseconds)
  }

  func touch(_ users: [String]) throws { try presence.touch(users) }

  func noteRoster(_ counts: [(userId: String, sockets: Int)], server: String) throws {
    try roster.note(counts, server: server)
  }

  func keepRosterAlive(server: String) throws { try roster.keepAlive(server: server) }

  func leaveRoster(server: String) throws { try roster.leave(server: server) }

  func checkDatabase() throws { try database.checkWritable() }

  func checkRedis() throws {
    _ = try redis.command("SETEX", "chattrix:ready", "60", "1")
  }

  func markRinging(_ callId: String) throws { try calls.markRinging(callId) }

  func redeem(ticket: String) throws -> Login? {
    // Read and deleted in one step: of any number of handshakes with one ticket, one succeeds.
    // GETDEL would do it, but Redis 6.0 has none.
    let reply = try redis.command(
      "EVAL", "local user = redis.call('GET', KEYS[1]) redis.call('DEL', KEYS[1]) return user",
      1, .init(Ticket.key(ticket)))
    return reply.bytes.map { Ticket.login(ticket, userId: String(decoding: $0, as: UTF8.self)) }
  }

  func perform(
    _ request: HTTPRequest, as userId: String, connectionId: String, deviceId: String?
  ) -> HTTPResponse {
    application.respond(
      to: request, as: userId, connectionId: connectionId, deviceId: deviceId)
  }
}
