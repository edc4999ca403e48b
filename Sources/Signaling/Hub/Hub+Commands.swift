// What clients say: heartbeats, and commands that run on a thread beside the loop by REST's own code
// (contract §6.3).

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
    case .command(let command):
      if isOverLimit || session.commands >= Self.commandLimit {
        refuse(command, .rateLimited(retryAfterSeconds: 1), session)
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
    } catch { return refuse(command, error, session) }
    session.commands += 1
    metrics.commands += 1
    let (tag, userId, mailbox) = (session.tag, user.id, mailbox)
    let (connectionId, deviceId) = (session.connectionId, session.deviceId)
    // All of a user's commands go to one thread: they are carried out in the order in which they
    // came.
    writers.submit(for: userId) { backend in
      let response = backend.perform(
        request, as: userId, connectionId: connectionId, deviceId: deviceId)
      mailbox.post(.result(tag: tag, requestId: command.requestId, response))
    }
  }

  func answered(_ tag: UInt64, _ requestId: JSONValue, _ response: HTTPResponse) {
    guard let session = session(tag: tag) else { return }
    session.commands -= 1
    send(
      ServerFrame.commandResult(requestId: requestId, response, isChat: session.isChat), session)
  }

  private func refuse(_ command: Command, _ error: CallError, _ session: Session) {
    let response = services.refusal(error, makeRequestId())
    send(
      ServerFrame.commandResult(
        requestId: command.requestId, response, isChat: session.isChat), session)
  }

  private func send(_ text: [UInt8], _ session: Session) {
    server.send(session) { FrameEncoder.append(.text, text, to: &$0) }
  }
}
