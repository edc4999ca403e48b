// What clients say: heartbeats, commands that run on a thread beside the loop by REST's own code
// (contract §6.3), and new tokens (§10, Hub+Logins.swift).

import Calls
import HTTP
import JSON
import System
import WebSocket

extension Hub {
  /// Commands of one connection that may be under way at a time.
  private static let commandLimit = 32

  func received(_ kind: Received, _ payload: Span<UInt8>, _ connection: Connection) {
    let session = session(connection)
    let count = session.countFrame(at: server.tick)
    let limit = settings.messagesPerSecond
    metrics.frames += 1
    if limit > 0, count > 2 * limit {
      return server.fail(
        session, WebSocketFailure(.policyViolation, "too many messages"))
    }
    switch kind {
    case .text: take(payload, session, isOverLimit: limit > 0 && count > limit)
    case .binary: server.fail(session, WebSocketFailure(.unsupportedData, "text only"))
    case .fragment, .ping, .pong, .close: break
    }
  }

  private func take(_ text: Span<UInt8>, _ session: Session, isOverLimit: Bool) {
    switch ClientMessage(text) {
    case .heartbeat: send(ServerFrame.heartbeatAck(at: .now()), session)
    case .invalid(let error, let requestId):
      send(
        ServerFrame.error(services.refusal(error, makeRequestId()), requestId: requestId), session)
    case .renewal(let renewal):
      if isOverLimit {
        refuse(renewal.requestId, .rateLimited(retryAfterSeconds: 1), session)
      } else {
        renew(renewal, session)
      }
    case .command(let command):
      if hasEnded(session, at: services.now()) {
        refuse(command.requestId, Self.loginHasEnded, session)
      } else if isOverLimit || session.commands >= Self.commandLimit {
        refuse(command.requestId, .rateLimited(retryAfterSeconds: 1), session)
      } else {
        run(command, session)
      }
    }
  }

  private func run(_ command: Command, _ session: Session) {
    guard let user = session.user else { return }
    let request: HTTPRequest
    do throws(CallError) {
      request = try command.request(requestId: makeRequestId())
    } catch { return refuse(command.requestId, error, session) }
    session.commands += 1
    metrics.commands += 1
    let (tag, userId, mailbox) = (session.tag, user.id, mailbox)
    let (connectionId, deviceId) = (session.connectionId, session.deviceId)
    let (login, services) = (loginOfCommands(session), services)
    // All of a user's commands go to one thread: they are carried out in the order in which they
    // came. A login may end while one waits for its turn, or be renewed.
    writers.submit(for: userId) { backend in
      let response =
        login.hasPassed(at: services.now())
        ? services.refusal(Self.loginHasEnded, request.requestId)
        : backend.perform(request, as: userId, connectionId: connectionId, deviceId: deviceId)
      mailbox.post(.result(tag: tag, requestId: command.requestId, response))
    }
  }

  func answered(_ tag: UInt64, _ requestId: JSONValue, _ response: HTTPResponse) {
    guard let session = session(tag: tag) else { return }
    session.commands -= 1
    if session.commands == 0 { commandLogins[tag] = nil }
    send(
      ServerFrame.commandResult(requestId: requestId, response, isChat: session.isChat), session)
  }

  func refuse(_ requestId: JSONValue, _ error: CallError, _ session: Session) {
    let response = services.refusal(error, makeRequestId())
    send(
      ServerFrame.commandResult(requestId: requestId, response, isChat: session.isChat), session)
  }

  func send(_ text: [UInt8], _ session: Session) {
    server.send(session) { FrameEncoder.append(.text, text, to: &$0) }
  }
}
