// The beginning of a session: what is true for the user now, told in `connected`; then replay or the
// invitation that still rings; then whatever comes (contract §6.4, §7.8).

import Calls
import Storage
import WebSocket

extension Hub {
  func open(_ session: Session) {
    openings.append(session.tag)
    startOpenings()
  }

  /// - Parameter isLate: as in ``OpeningQueue/next(isLate:userId:)``.
  func startOpenings(isLate: Bool = false) {
    while let batch = openings.next(isLate: isLate, userId: { session(tag: $0)?.user?.id }) {
      let (mailbox, mysql) = (mailbox, mysql)
      readers.submit(to: batch.thread) { backend in
        mailbox.post(.openings(batch, mysql.attempt { try backend.openings(of: batch.userIds) }))
      }
    }
  }

  func retryOpenings() {
    openings.retry()
    startOpenings()
  }

  func opened(_ batch: OpeningQueue.Batch, _ result: Result<[Opening], Unavailable>) {
    switch result {
    case .success(let found):
      openings.finish(batch)
      // The thread has the next batch while this one is told.
      startOpenings()
      for (tag, opening) in zip(batch.tags, found) {
        if let session = session(tag: tag), session.phase == .open { begin(session, opening) }
      }
    case .failure:
      for tag in openings.fail(batch) {
        guard let session = session(tag: tag) else { continue }
        server.close(session, .tryAgainLater, "the database is away")
      }
      startOpenings()
    }
  }

  private func begin(_ session: Session, _ opening: Opening) {
    guard let user = session.user else { return }
    guard !hasEnded(session, at: services.now()) else { return end(session) }
    let last = opening.lastEventId
    // The client knows of events that never were, or behind the given event there is something that
    // is not kept any more: either way what it believes is worth nothing.
    let isLost = session.isResuming && session.cursor > last
    let resync =
      isLost || session.isResuming && (opening.oldestEventId ?? last + 1) > session.cursor + 1
    session.cursor = session.isResuming ? min(session.cursor, last) : last
    session.isLive = true
    user.openedAt = server.tick
    let end = endOfLogin(session)
    let isExpiring = scheduleNotice(session)
    let connected = ServerFrame.Connected(
      connectionId: session.connectionId, userId: user.id,
      heartbeatSeconds: server.settings.pingSeconds, lastEventId: last, resync: resync,
      unseenMissed: opening.unseenMissed, activeCall: opening.activeCall,
      authenticatedUntil: end)
    // Replay brings it, unless there is nothing to replay from.
    let isInvited = !session.isResuming || isLost
    server.send(session) { bytes in
      FrameEncoder.append(
        .text, ServerFrame.connected(connected, isChat: session.isChat), to: &bytes)
      if isExpiring, let end {
        FrameEncoder.append(.text, ServerFrame.authExpiring(until: end), to: &bytes)
      }
      guard isInvited, let invitation = opening.invitation else { return }
      FrameEncoder.append(
        .text, ServerFrame.event(invitation, isChat: session.isChat), to: &bytes)
    }
    // Whoever has it already may have it of a server that died before it could say so.
    if let invitation = opening.invitation, invitation.eventId <= session.cursor {
      invited(invitation, user, session)
    }
    if opening.activeCall != nil { present.insert(UserKey(user.id)) }
    server.release(session)
    if session.isBehind || session.cursor < last { look(user) }
  }
}
