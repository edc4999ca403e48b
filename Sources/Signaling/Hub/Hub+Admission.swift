// From a request head to a session: who is it, may they, and the `101` (contract §6.1).

import Calls
import HTTP
import WebSocket

/// A handshake on its way.
struct Arrival {
  let admission: Admission
  let requestId: String
  let address: String
}

extension Hub {
  /// After which a user or an address with too many connections may try again.
  private static let crowdedSeconds = 10

  func requested(_ head: RequestHead, _ connection: Connection) {
    let request = head.request
    let requestId = Self.requestId(request.headers) ?? makeRequestId()
    let address = address(of: request, connection)
    guard request.path == "/ws" || request.path == "/ws/chat" else {
      server.respond(operation(request, requestId, address), connection)
      return
    }
    do throws(Admission.Refusal) {
      let admission = try Admission(head, services, origins)
      let arrival = Arrival(admission: admission, requestId: requestId, address: address)
      switch admission.credential {
      case .login(let login): admit(arrival, login, session(connection))
      case .ticket(let ticket): redeem(ticket, arrival, connection)
      }
    } catch {
      refuse(error, requestId, connection)
    }
  }

  func refused(_ error: RequestHeadError, _ connection: Connection) {
    var response = services.refusal(
      .validation("request", .invalidBody, "This is not a request that can be answered here."),
      makeRequestId())
    response.status = error.status
    server.respond(response, connection)
  }

  /// The proxy's id for this request, where it is one that can be put into a log.
  private static func requestId(_ headers: HTTPHeaders) -> String? {
    guard let text = headers["X-Request-Id"], (1...64).contains(text.utf8.count),
      text.utf8.allSatisfy({ HTTPText.isTokenCharacter($0) })
    else { return nil }
    return text
  }

  /// The client's address: the proxy's word counts if the proxy is on this host.
  private func address(of request: HTTPRequest, _ connection: Connection) -> String {
    let peer = server.peerAddress(connection) ?? ""
    guard AddressLimits.isLocal(peer) else { return peer }
    return request.headers["X-Real-IP"] ?? peer
  }

  private func refuse(
    _ refusal: Admission.Refusal, _ requestId: String, _ connection: Connection
  ) {
    var response: HTTPResponse
    switch refusal {
    case .call(let error): response = services.refusal(error, requestId)
    case .handshake(let failure):
      response = services.refusal(
        .validation("handshake", .invalidBody, failure.message), requestId)
      response.status = failure.status
      for field in failure.headers.fields { response.headers[field.name] = field.value }
    }
    metrics.countHandshake(response.status)
    log.info("handshake", requestId: requestId, ["status": .int(Int64(response.status))])
    server.respond(response, connection)
  }

  private func redeem(_ ticket: String, _ arrival: Arrival, _ connection: Connection) {
    redeeming[connection.tag] = arrival
    let (tag, mailbox, redis) = (connection.tag, mailbox, redis)
    readers.submit(for: ticket) { backend in
      mailbox.post(.ticket(tag: tag, redis.attempt { try backend.redeem(ticket: ticket) }))
    }
  }

  func redeemed(_ tag: UInt64, _ result: Result<Login?, Unavailable>) {
    guard let arrival = redeeming.removeValue(forKey: tag), let session = session(tag: tag) else {
      return
    }
    switch result {
    case .success(let login?): admit(arrival, login, session)
    case .success(nil):
      refuse(
        .call(.authenticationFailed("The ticket is not valid.")), arrival.requestId, session)
    case .failure: refuse(.call(.serviceUnavailable), arrival.requestId, session)
    }
  }

  private func admit(_ arrival: Arrival, _ login: Login, _ session: Session) {
    guard session.phase == .deciding else { return }
    // A ticket may outlive it.
    guard !login.hasEnded(at: services.now()) else {
      return refuse(.call(Self.loginHasEnded), arrival.requestId, session)
    }
    let limit = settings.connectionsPerUser
    let isFull = limit > 0 && users[login.userId].map { $0.count >= limit } == true
    guard !isFull, addresses.admit(arrival.address, tag: session.tag) else {
      return refuse(
        .call(.rateLimited(retryAfterSeconds: Self.crowdedSeconds)), arrival.requestId, session)
    }
    let admission = arrival.admission
    session.number = services.randomness.bytes(8).reduce(0) { $0 << 8 | UInt64($1) }
    session.deviceId = admission.deviceId
    session.isChat = admission.isChat
    session.isResuming = admission.lastEventId != nil
    session.cursor = admission.lastEventId ?? 0
    // Before the user's events are read, so that few come about between the two (the poll finds those).
    if users.add(session, userId: login.userId, sessionAt: self.session(at:)) {
      subscriptions?.add(login.userId)
    }
    setLogin(login, of: session)
    noteSockets(of: login.userId)
    metrics.countHandshake(101)
    log.info(
      "handshake", requestId: arrival.requestId,
      [
        "status": 101, "userId": .string(login.userId),
        "connectionId": .string(session.connectionId),
      ])
    var response = admission.response
    response.headers["X-Request-Id"] = arrival.requestId
    server.upgrade(session, response)
    if session.phase == .open { open(session) }
  }
}
