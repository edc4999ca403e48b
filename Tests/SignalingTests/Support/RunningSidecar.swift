// A sidecar on a Unix socket of the test's own, with a world in memory behind it. A token is good if
// it reads `user:NAME`, or `until:MILLISECONDS:NAME`, which ends then by the world's clock; `sleep:SECONDS` is
// bad, and holds up the event loop for so long, and `hold` until the world's gate is opened.

import Calls
import Glibc
import HTTP
import JSON
import Redis
import Synchronization
import System

@testable import Signaling

final class RunningSidecar {
  let world = World()
  let path = "/tmp/chattrix-sidecar-\(Randomness.system.hexadecimal(bytes: 8))"
  private let sidecar: Sidecar
  private let thread: Thread
  private var isStopped = false
  private var clients: [Client] = []

  /// - Parameter redis: where hints come from; nil where ``hint(_:)`` alone brings them.
  init(
    redis: [RedisAddress]? = nil, _ change: (inout SignalingSettings) -> Void = { _ in }
  ) throws {
    var settings = SignalingSettings()
    settings.databaseThreads = 2
    settings.server.shutdownSeconds = 0
    settings.server.closeSeconds = 1
    change(&settings)
    let (sidecar, world, path) = (try Sidecar(), world, path)
    self.sidecar = sidecar
    let final = settings
    let services = Self.services(world, redis)
    thread = try Thread.start(name: "sidecar") {
      guard let socket = try? ListeningSocket.open(.unix(path: path)) else { return }
      try? sidecar.run(on: socket, settings: final, services: services)
    }
    for _ in 0..<15_000 {
      if (try? connect(to: .unix(path: path), timeoutMilliseconds: 100)) != nil { return }
      usleep(2000)
    }
    throw SystemError(errno: ETIMEDOUT, call: "start the sidecar")
  }

  deinit {
    for client in clients { client.hangUp() }
    stop()
    unlink(path)
  }

  /// Ends the sidecar and waits for that.
  func stop() {
    if isStopped { return }
    isStopped = true
    sidecar.stop()
    thread.join()
  }

  var mailbox: Mailbox { sidecar.mailbox }

  /// As if Redis had brought a message.
  func hint(_ users: String...) { for user in users { mailbox.post(.hint(user)) } }

  /// Begins the end of the sidecar.
  func beginStop() { sidecar.stop() }

  private static func services(
    _ world: World, _ redis: [RedisAddress]?
  ) -> SignalingServices {
    SignalingServices(
      loginOfHeaders: { headers throws(CallError) in
        guard let text = headers["Authorization"], text.hasPrefix("Bearer ") else {
          throw .authenticationFailed("no bearer")
        }
        return try login(String(text.dropFirst(7)), world)
      }, loginOfToken: { token throws(CallError) in try login(token, world) },
      success: { data, requestId in
        .json(
          Array(#"{"success":true,"data":"#.utf8) + data
            + Array(#","requestId":"\#(requestId)"}"#.utf8))
      }, refusal: refusal, makeBackend: { WorldBackend(world: world) },
      redis: redis, log: Log(program: "test", level: .error, descriptor: -1), now: { world.now })
  }

  private static func login(_ token: String, _ world: World) throws(CallError) -> Login {
    if token.hasPrefix("sleep:") { sleep(UInt32(token.dropFirst(6)) ?? 0) }
    if token == "hold" { world.gate.pass() }
    guard let login = World.login(token), login.endsAt.map({ $0 > world.now }) ?? true else {
      throw .authenticationFailed("bad token")
    }
    return login
  }

  /// The statuses that these tests look at; the real table is the API's.
  @Sendable private static func refusal(_ error: CallError, _ requestId: String) -> HTTPResponse {
    let (status, code) =
      switch error {
      case .authenticationFailed: (401, "AUTHENTICATION_FAILED")
      case .unauthorizedAccess: (403, "UNAUTHORIZED_ACCESS")
      case .originNotAllowed: (403, "ORIGIN_NOT_ALLOWED")
      case .notFound: (404, "RESOURCE_NOT_FOUND")
      case .methodNotAllowed: (405, "METHOD_NOT_ALLOWED")
      case .rateLimited: (429, "RATE_LIMIT_EXCEEDED")
      case .serviceUnavailable: (503, "SERVICE_UNAVAILABLE")
      case .malformedJSON: (400, "MALFORMED_JSON")
      default: (400, "VALIDATION_ERROR")
      }
    let body: JSONValue = [
      "success": false, "error": ["code": .string(code), "message": "no"],
      "requestId": .string(requestId),
    ]
    var response = HTTPResponse.json(body.serialized(), status: status)
    if case .rateLimited(let seconds) = error { response.headers["Retry-After"] = String(seconds) }
    return response
  }

  /// - Parameter end: of the login; nil for one that never ends.
  func client(
    _ user: String, path: String = "/ws", query: String = "", headers: [String] = [],
    until end: Timestamp? = nil
  ) throws -> Client {
    let client = try Client(self.path)
    let answer = try client.upgrade(
      "\(path)?token=\(World.token(user, until: end))\(query.isEmpty ? "" : "&" + query)", headers)
    guard answer.status == 101 else { throw Client.Refused(status: answer.status) }
    clients.append(client)
    return client
  }

  /// A client that has been greeted.
  func greeted(
    _ user: String, path: String = "/ws", query: String = "", until end: Timestamp? = nil
  ) throws -> Client {
    let client = try client(user, path: path, query: query, until: end)
    _ = try client.next("connected")
    return client
  }
}

/// Waits until something is true, for half a minute.
func eventually(_ condition: () -> Bool) -> Bool {
  for _ in 0..<3000 {
    if condition() { return true }
    usleep(10_000)
  }
  return false
}
