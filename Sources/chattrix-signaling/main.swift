// The WebSocket server beside nginx (design §1, §3). Ends after the sockets are closed when it is
// told to.

import API
import Calls
import Configuration
import HTTP
import Signaling
import System

Version.printIfAsked(program: "chattrix-signaling", CommandLine.arguments)
let configuration = Configuration.loadOrExit(program: "chattrix-signaling")
let log = Log(program: "chattrix-signaling", level: configuration.logLevel)

var settings = SignalingSettings()
settings.messagesPerSecond = configuration.signaling.messagesPerSecond
settings.connectionsPerUser = configuration.signaling.connectionsPerUser
settings.connectionsPerAddress = configuration.signaling.connectionsPerAddress
settings.chatExpires = configuration.signaling.chatExpires
settings.allowedOrigins = configuration.allowedOrigins
settings.keepsRoster = configuration.delivery.recording.contains(Recording(.invitation))
settings.ringSeconds = configuration.callTimeoutSeconds

configuration.jwt.start(log: log)
let authenticator = Authenticator(configuration.jwt)
let services = SignalingServices(
  loginOfHeaders: { headers throws(CallError) in try authenticator.login(of: headers) },
  loginOfToken: { token throws(CallError) in try authenticator.login(ofToken: token) },
  success: { data, requestId in Envelope.success(data: data, requestId: requestId) },
  refusal: { error, requestId in Envelope.failure(error, requestId: requestId) },
  reload: { [configuration] in configuration.jwt.reload() },
  makeBackend: { [configuration, log] in LiveBackend(configuration, log: log) },
  redis: configuration.redis, log: log)

do {
  let socket = try ListeningSocket.open(
    configuration.signaling.address, environment: processEnvironment())
  try Sidecar().run(on: socket, settings: settings, services: services)
} catch {
  log.error("signaling_failed", ["error": .string("\(error)")])
  exitProcess(1)
}
