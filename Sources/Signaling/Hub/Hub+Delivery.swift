// From the outbox to the sockets (design §3). Each session has a cursor, the newest event that it
// was sent, and is either ready for what follows or behind. A page is fetched from behind the
// earliest cursor of a user's ready sessions, and each skips what it has: so replay and new events
// are the same thing, in order and without a gap, and a slow reader costs a cursor, not a buffer.

import Calls
import Storage
import System
import WebSocket

/// An invitation on its way to a device.
struct Invitation: Sendable {
  let eventId: Int64
  let callId: String
  /// When the call has stopped ringing for sure, in milliseconds of the monotonic clock.
  let endsAt: Int64
}

extension Hub {
  /// Events of one fetch: far less than a connection's queue may hold.
  private static let pageSize = 64

  /// Whether events may be sent to it now: none are after the end of its login.
  private func isReady(_ session: Session, at now: Timestamp) -> Bool {
    session.isReady && !hasEnded(session, at: now)
  }

  /// Finds out what a user has not been sent.
  func look(_ user: User) {
    guard !user.isFetching else {
      user.mustLookAgain = true
      return
    }
    let (sessions, now) = (sessions(of: user), services.now())
    for session in sessions where !isReady(session, at: now) { session.isBehind = true }
    guard let after = sessions.filter({ isReady($0, at: now) }).map(\.cursor).min() else {
      hintedUsers.remove(UserKey(user.id))
      return
    }
    (user.isFetching, user.mustLookAgain) = (true, false)
    let (userId, serial, mailbox, mysql) = (user.id, user.serial, mailbox, mysql)
    metrics.fetches += 1
    readers.submit(for: userId) { backend in
      let result = mysql.attempt {
        try backend.events(of: userId, after: after, limit: Self.pageSize)
      }
      mailbox.post(.events(userId: userId, serial: serial, after: after, result))
    }
  }

  /// Looks only if one of the user's sessions has not been sent this event.
  func look(_ user: User, upTo lastEventId: Int64) {
    if sessions(of: user).contains(where: { $0.cursor < lastEventId }) { look(user) }
  }

  func fetched(
    _ userId: String, _ serial: UInt32, _ after: Int64, _ result: Result<[StoredEvent], Unavailable>
  ) {
    guard let user = users[userId], user.serial == serial else {
      hintedUsers.remove(UserKey(userId))
      return
    }
    user.isFetching = false
    guard case .success(let events) = result else {
      unfetched.insert(UserKey(userId))
      return
    }
    let now = services.now()
    if let newest = events.last { noteAge(of: newest, user, at: now) }
    for session in sessions(of: user) where session.isLive {
      if !isReady(session, at: now) {
        session.isBehind = true
      } else if session.cursor < after {
        // It became ready during the fetch, which began too late for it.
        user.mustLookAgain = true
      } else {
        deliver(events, to: session, of: user)
      }
    }
    if events.count == Self.pageSize || user.mustLookAgain {
      look(user)
    } else if events.isEmpty {
      hintedUsers.foundNothing(UserKey(userId), now: MonotonicClock.milliseconds())
    } else {
      hintedUsers.remove(UserKey(userId))
    }
  }

  /// Counts how late an event is, unless it is from before a connection of the user's opened: then it is replayed.
  private func noteAge(of event: StoredEvent, _ user: User, at now: Timestamp) {
    let age = now.milliseconds - event.createdAt.milliseconds
    let connected = Int64(server.tick &- user.openedAt) * 1000 / Int64(Server.ticksPerSecond)
    if age < connected { metrics.countEvent(ageMilliseconds: age) }
  }

  /// Sends what the session lacks, and of that no more at a time than its queue may hold.
  private func deliver(_ events: [StoredEvent], to session: Session, of user: User) {
    var count = 0
    var invitation: StoredEvent?
    server.send(session) { bytes in
      for event in events where event.eventId > session.cursor {
        guard bytes.count < settings.server.queueBytes / 2 else { break }
        session.cursor = event.eventId
        if Self.isSpared(session, event) { continue }
        FrameEncoder.append(.text, ServerFrame.event(event, isChat: session.isChat), to: &bytes)
        if event.type == CallEvent.invitationType { invitation = event }
        count += 1
      }
    }
    if let last = events.last, session.cursor < last.eventId {
      if session.isReady { user.mustLookAgain = true } else { session.isBehind = true }
    }
    guard count > 0 else { return }
    metrics.events += count
    present.insert(UserKey(user.id))
    if let invitation { invited(invitation, user, session) }
  }

  /// The connection that sent a command, and those of its device, are not told of its outcome again
  /// (contract §7.6).
  private static func isSpared(_ session: Session, _ event: StoredEvent) -> Bool {
    if let device = event.originDevice, let own = session.deviceId, DeviceID.areSame(device, own) {
      return true
    }
    if let connection = event.originConnection { return connection == session.connectionId }
    return false
  }

  /// An invitation was sent: once the socket has taken it, the call rings.
  func invited(_ event: StoredEvent, _ user: User, _ session: Session) {
    guard event.eventId > user.ringingEventId, let callId = event.callId else { return }
    // From here on, because the clock that dated it may not be this host's.
    let invitation = Invitation(
      eventId: event.eventId, callId: callId,
      endsAt: MonotonicClock.milliseconds() + Int64(settings.ringSeconds) * 1000)
    if !session.isDrained {
      queuedInvitations[session.tag, default: []].append(invitation)
    } else if session.phase == .open {
      ring(invitation, user)
    }
  }

  private func ring(_ invitation: Invitation, _ user: User) {
    guard invitation.eventId > user.ringingEventId else { return }
    user.ringingEventId = invitation.eventId
    markRinging(invitation, userId: user.id)
  }

  private func markRinging(_ invitation: Invitation, userId: String) {
    let (mailbox, mysql) = (mailbox, mysql)
    writers.submit(for: userId) { backend in
      if case .failure = mysql.attempt({ try backend.markRinging(invitation.callId) }) {
        mailbox.post(.notRinging(userId: userId, invitation))
      }
    }
  }

  func retryRinging() {
    let waiting = unmarked
    unmarked = []
    for (userId, invitation) in waiting where invitation.endsAt > MonotonicClock.milliseconds() {
      markRinging(invitation, userId: userId)
    }
  }

  /// A socket that was blocked has taken everything.
  func caughtUp(_ session: Session) {
    guard let user = session.user else { return }
    for invitation in queuedInvitations.removeValue(forKey: session.tag) ?? [] {
      ring(invitation, user)
    }
    guard session.isBehind, session.isLive else { return }
    session.isBehind = false
    look(user)
  }

  func retryFetches() {
    let keys = unfetched
    unfetched = []
    for key in keys { if let user = users[key.id] { look(user) } }
  }
}
