// The state of the sidecar, on the event loop's thread: who is connected, who is behind, what is
// asked for and has not come yet. Its extensions hold a concern each.

import Calls
import HTTP
import System
import WebSocket

final class Hub {
  let server: Server
  let settings: SignalingSettings
  let services: SignalingServices
  let mailbox: Mailbox
  private let notifier: ServiceNotifier
  /// For what reads and waits for no lock: openings and events, and tickets.
  let readers: DatabaseThreads
  /// For what locks lines, and may wait for them: commands and ringing.
  let writers: DatabaseThreads
  /// Presence on a thread of its own: it waits for every line that is locked.
  let presence: JobQueue
  /// What keeps the count of each user's sockets; nil where nobody asks for it.
  let roster: JobQueue?
  private let poller: Poller
  /// This server's name in the roster.
  let rosterName: String
  let mysql: Availability
  let redis: Availability
  /// Whether they take writes, which whoever only reads does not notice.
  let mysqlWrites: Availability
  let redisWrites: Availability
  let origins: OriginPolicy

  var users = UserDirectory()
  var addresses: AddressLimits
  /// Handshakes whose ticket is being redeemed, by tag.
  var redeeming: [UInt64: Arrival] = [:]
  var openings: OpeningQueue
  /// Users whose events could not be fetched, to be tried again.
  var unfetched: Set<UserKey> = []
  var hintedUsers = HintedUsers()
  /// Whose hints Redis is to send; nil where there is no Redis.
  let subscriptions: HintSubscriptions?
  /// Invitations that have reached a device of the user, whose calls could not be marked as ringing,
  /// to be tried again.
  var unmarked: [(userId: String, invitation: Invitation)] = []
  /// Invitations in a blocked socket's queue, by tag.
  var queuedInvitations: [UInt64: [Invitation]] = [:]
  /// When a session's login ends, or notice of that is due, whichever is next.
  var logins = DeadlineHeap<Timestamp>()
  /// The ends of the logins whose sessions have commands under way, by tag.
  var commandLogins: [UInt64: LoginEnd] = [:]
  /// Users to be noted as present.
  var present: Set<UserKey> = []
  var isNotingPresence = false
  var isCheckingWrites = false
  /// Users whose number of sockets is to be written.
  var unlisted: Set<UserKey> = []
  var isListing = false
  /// From the beginning of the shutdown on.
  var isRosterSilent = false
  var metrics = Metrics()

  var log: Log { services.log }

  init(
    server: Server, settings: SignalingSettings, services: SignalingServices, mailbox: Mailbox,
    notifier: ServiceNotifier
  ) throws(SystemError) {
    (self.server, self.settings, self.notifier) = (server, settings, notifier)
    (self.services, self.mailbox) = (services, mailbox)
    mysql = Availability(of: "mysql", log: services.log)
    redis = Availability(of: "redis", log: services.log)
    mysqlWrites = Availability(of: "mysql_writes", log: services.log)
    redisWrites = Availability(of: "redis_writes", log: services.log)
    origins = OriginPolicy(allowed: settings.allowedOrigins)
    openings = OpeningQueue(threads: settings.databaseThreads)
    addresses = AddressLimits(limit: settings.connectionsPerAddress)
    readers = try DatabaseThreads(
      name: "reader", count: settings.databaseThreads, makeBackend: services.makeBackend)
    writers = try DatabaseThreads(
      name: "writer", count: settings.databaseThreads, makeBackend: services.makeBackend)
    presence = try JobQueue(name: "presence", makeBackend: services.makeBackend)
    roster =
      settings.keepsRoster
      ? try JobQueue(name: "roster", makeBackend: services.makeBackend) : nil
    rosterName = services.randomness.hexadecimal(bytes: 16)
    poller = try Poller(makeBackend: services.makeBackend, mailbox: mailbox, database: mysql)
    subscriptions = services.redis == nil ? nil : try HintSubscriptions()
    if let addresses = services.redis, let subscriptions {
      try HintListener.start(
        addresses, subscriptions: subscriptions, mailbox: mailbox, redis: redis,
        counters: services.counters)
    }
  }

  /// Every connection of the server is a session: `makeConnection` makes no others.
  func session(_ connection: Connection) -> Session {
    unsafeDowncast(connection, to: Session.self)
  }

  func session(tag: UInt64) -> Session? { server.connection(tag).map(session) }

  func session(at descriptor: Int32) -> Session? {
    descriptor < 0 ? nil : server.connection(at: descriptor).map(session)
  }

  func sessions(of user: User) -> [Session] {
    var found: [Session] = []
    var next = session(at: user.first)
    while let session = next {
      found.append(session)
      next = self.session(at: session.next)
    }
    return found
  }

  /// A request id of the sidecar's own, where no proxy gave one.
  func makeRequestId() -> String { services.randomness.hexadecimal(bytes: 16) }
}

extension Hub: ConnectionHandler {
  func makeConnection(_ descriptor: consuming Descriptor, tag: UInt64) -> Connection {
    Session(descriptor, tag: tag)
  }

  func closed(_ connection: Connection) {
    let session = session(connection)
    redeeming[session.tag] = nil
    queuedInvitations[session.tag] = nil
    logins[session.raw] = nil
    commandLogins[session.tag] = nil
    addresses.release(session.tag)
    guard let user = session.user else { return }
    defer { noteSockets(of: user.id) }
    log.debug(
      "connection_closed",
      ["connectionId": .string(session.connectionId), "userId": .string(user.id)])
    guard users.remove(session, sessionAt: self.session(at:)) != nil else { return }
    subscriptions?.remove(user.id)
    present.insert(UserKey(user.id))
    notePresence()
  }

  func drained(_ connection: Connection) { caughtUp(session(connection)) }

  func ticked() {
    notifier.watchdog()
    endLogins()
    startOpenings(isLate: true)
    guard server.tick % Server.ticksPerSecond == 0 else { return }
    retryOpenings()
    retryFetches()
    retryRinging()
    noteEverybody()
    refreshRoster()
    checkWrites()
  }

  /// Ends the threads beside the event loop and waits a moment for those that use the database, so that none closes
  /// its connection while the process exits. One that the database holds up ends with the process.
  func endThreads() {
    let queues = readers.queues + writers.queues + [presence] + (roster.map { [$0] } ?? [])
    for queue in queues { queue.end() }
    poller.end()
    subscriptions?.end()
    let deadline = Deadline(milliseconds: 250)
    for thread in queues.map(\.thread) + [poller.thread] { thread.join(before: deadline) }
  }

  func reload() {
    log.info("reload")
    services.reload()
  }

  func stopping() {
    notifier.stopping()
    log.info("stopping", ["connections": .int(Int64(server.connectionCount))])
    leaveRoster()
  }

  func woken() {
    for message in mailbox.take() {
      switch message {
      case .openings(let batch, let result): opened(batch, result)
      case .events(let userId, let serial, let after, let result):
        fetched(userId, serial, after, result)
      case .ticket(let tag, let result): redeemed(tag, result)
      case .result(let tag, let requestId, let response): answered(tag, requestId, response)
      case .hint(let userId): hinted(userId)
      case .hintsUnsubscribed: subscriptions?.add(users.ids)
      case .recent(let list):
        for (id, lastEventId) in list { if let user = users[id] { look(user, upTo: lastEventId) } }
      case .notRinging(let userId, let invitation): unmarked.append((userId, invitation))
      case .presenceNoted:
        isNotingPresence = false
        notePresence()
      case .rosterNoted(let failed): rosterNoted(failed: failed)
      case .writesChecked: isCheckingWrites = false
      case .stop: server.stop()
      }
    }
  }
}
