// The WebSocket server beside nginx (design §1, §3). Ends after the sockets are closed when it is
// told to.

import API
import Calls
import Configuration
import Exposition
import HTTP
import Signaling
import Storage
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
/// What the threads of this process count.
let counters = try SharedCounters.create(slots: 1, counters: SupervisorLink.counters)
let slot = CounterSlot(counters, slot: 0)
let program = CountingProgram("signaling", 0..<1)
let routes = LiveBackend(configuration, counters: .none, log: log).routeNames

let authenticator = Authenticator(configuration.jwt)
let services = SignalingServices(
  loginOfHeaders: { headers throws(CallError) in try authenticator.login(of: headers) },
  loginOfToken: { token throws(CallError) in try authenticator.login(ofToken: token) },
  success: { data, requestId in Envelope.success(data: data, requestId: requestId) },
  refusal: { error, requestId in Envelope.failure(error, requestId: requestId) },
  reload: { [configuration] in configuration.jwt.reload() },
  makeBackend: { [configuration, slot, log] in
    LiveBackend(configuration, counters: slot, log: log)
  },
  redis: configuration.redis, log: log, counters: slot,
  writeMetrics: { [counters, program, routes] page in
    RequestCounters.write(counters, program, routes: routes, to: &page)
    CallCounters.write(counters, [program], to: &page)
    StoreCounters.write(counters, [program], to: &page)
  })

do {
  let socket = try ListeningSocket.open(
    configuration.signaling.address, environment: processEnvironment())
  try Sidecar().run(
    on: socket, settings: settings, services: services,
    notifier: ServiceNotifier(environment: processEnvironment()))
} catch {
  log.error("signaling_failed", ["error": .string("\(error)")])
  exitProcess(1)
}
