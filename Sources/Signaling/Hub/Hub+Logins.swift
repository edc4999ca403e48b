// A connection lasts no longer than the login that it was opened with, unless the client shows a new token
// (contract §10). Ends are times of the wall clock, as a JWT's `exp` is, and are looked for four times a second:
// however that clock is set meanwhile, an end comes when the clock says so. A command is held against it
// once more when it is carried out.

import Calls
import JSON
import System
import WebSocket

extension CloseCode {
  /// The login has ended. Of the range for private use (RFC 6455, 7.4.2).
  static let loginEnded = CloseCode(4401)
}

extension Hub {
  /// How long before its end the client is told of it.
  private static let noticeSeconds: Int64 = 60

  static let loginHasEnded = CallError.authenticationFailed("The login has ended.")

  /// When the connection ends with its login; nil where it does not.
  func endOfLogin(_ session: Session) -> Timestamp? {
    guard let due = logins[session.raw] else { return nil }
    return session.isNoticeDue ? due.adding(seconds: Self.noticeSeconds) : due
  }

  func hasEnded(_ session: Session, at now: Timestamp) -> Bool {
    endOfLogin(session).map { $0 <= now } ?? false
  }

  /// The newest login counts, also where it ends before the one that was there.
  func setLogin(_ login: Login, of session: Session) {
    let isExempt = session.isChat && !settings.chatExpires
    session.isNoticeDue = false
    logins[session.raw] = isExempt ? nil : login.endsAt
    commandLogins[session.tag]?.set(endOfLogin(session))
  }

  /// Has notice given in time of the end of a login that was taken.
  /// - Returns: whether it is to be given at once.
  func scheduleNotice(_ session: Session) -> Bool {
    guard let end = endOfLogin(session) else { return false }
    let notice = end.adding(seconds: -Self.noticeSeconds)
    guard notice > services.now() else { return true }
    session.isNoticeDue = true
    logins[session.raw] = notice
    return false
  }

  /// The end that this session's commands are held against while any are under way.
  func loginOfCommands(_ session: Session) -> LoginEnd {
    if let login = commandLogins[session.tag] { return login }
    let login = LoginEnd(endOfLogin(session))
    commandLogins[session.tag] = login
    return login
  }

  /// Gives notice of the ends that are near, and ends what is over. What has to wait for the next time is
  /// sent nothing more, and its commands are refused.
  func endLogins() {
    let now = services.now()
    for _ in 0..<settings.endsPerTick {
      guard let (descriptor, due) = logins.first, due <= now else { return }
      guard let session = session(at: descriptor) else {
        logins[descriptor] = nil
        continue
      }
      if session.isNoticeDue {
        giveNotice(session, at: now)
      } else {
        // A renewal that has come in time counts, though nobody has looked at it yet; and commands are
        // told why they are refused.
        server.receivePending(session)
        if hasEnded(session, at: now) { end(session) }
      }
    }
  }

  private func giveNotice(_ session: Session, at now: Timestamp) {
    guard let end = endOfLogin(session) else { return }
    session.isNoticeDue = false
    logins[session.raw] = end
    if end > now { send(ServerFrame.authExpiring(until: end), session) }
  }

  func end(_ session: Session) {
    logins[session.raw] = nil
    metrics.expirations += 1
    log.info(
      "login_ended",
      [
        "connectionId": .string(session.connectionId),
        "userId": session.user.map { .string($0.id) } ?? .null,
      ])
    server.close(session, .loginEnded, "the login has ended")
  }

  func renew(_ renewal: Renewal, _ session: Session) {
    guard let user = session.user else { return }
    let requestId = makeRequestId()
    let login: Login
    do throws(CallError) {
      login = try services.loginOfToken(try renewal.token(from: user.id))
      guard !login.hasEnded(at: services.now()) else { throw Self.loginHasEnded }
      guard UserID.areSame(login.userId, user.id) else {
        throw .unauthorizedAccess("The token is another user's.")
      }
    } catch { return refuse(renewal.requestId, error, session) }
    setLogin(login, of: session)
    let end = endOfLogin(session)
    let isExpiring = scheduleNotice(session)
    metrics.renewals += 1
    log.info(
      "login_renewed", requestId: requestId,
      ["connectionId": .string(session.connectionId), "userId": .string(user.id)])
    let response = services.success(Self.renewed(until: end), requestId)
    send(
      ServerFrame.commandResult(
        requestId: renewal.requestId, response, isChat: session.isChat), session)
    if isExpiring, let end { send(ServerFrame.authExpiring(until: end), session) }
    catchUp(session, of: user)
  }

  /// `data` of the answer to a renewal.
  private static func renewed(until end: Timestamp?) -> [UInt8] {
    var json = JSONWriter(reserving: 64)
    json.beginObject()
    json.member("authenticatedUntil", plain: end?.iso8601)
    json.endObject()
    return json.bytes
  }

  /// What happened between the end of a login and its renewal has not been sent.
  private func catchUp(_ session: Session, of user: User) {
    guard session.isBehind, session.isReady else { return }
    session.isBehind = false
    look(user)
  }
}
