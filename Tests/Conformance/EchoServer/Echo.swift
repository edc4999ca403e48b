import HTTP
import Signaling
import System
import WebSocket

final class Echo: ConnectionHandler {
  private unowned let server: Server

  init(_ server: Server) { self.server = server }

  func makeConnection(_ descriptor: consuming Descriptor, tag: UInt64) -> Connection {
    Connection(descriptor, tag: tag)
  }

  func requested(_ head: RequestHead, _ connection: Connection) {
    do throws(HandshakeFailure) {
      let handshake = try Handshake(head)
      server.upgrade(connection, handshake.response())
      server.release(connection)
    } catch {
      var response = HTTPResponse.text(error.message, status: error.status)
      for field in error.headers.fields { response.headers[field.name] = field.value }
      server.respond(response, connection)
    }
  }

  func refused(_ error: RequestHeadError, _ connection: Connection) {
    server.respond(HTTPResponse(status: error.status), connection)
  }

  func received(_ kind: Received, _ payload: Span<UInt8>, _ connection: Connection) {
    switch kind {
    case .text: server.send(connection) { FrameEncoder.append(.text, payload, to: &$0) }
    case .binary: server.send(connection) { FrameEncoder.append(.binary, payload, to: &$0) }
    case .fragment, .ping, .pong, .close: break
    }
  }

  func drained(_ connection: Connection) {}
  func closed(_ connection: Connection) {}
  func ticked() {}
  func woken() {}
  func reload() {}
  func stopping() {}
}
