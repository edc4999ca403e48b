// A FastCGI worker: one request at a time on the socket that is descriptor 0, one MySQL and one
// Redis connection (design §1). Ends after the request in hand when it is told to.

import API
import Configuration
import FastCGI
import HTTP
import Redis
import Storage
import System

Version.printIfAsked(program: "chattrix-worker", CommandLine.arguments)
let configuration = Configuration.loadOrExit(program: "chattrix-worker")
let log = Log(program: "chattrix-worker", level: configuration.logLevel)

configuration.jwt.start(log: log)

do {
  let worker = try FastCGIWorker()
  let environment = processEnvironment()
  SupervisorLink.followSupervisor(environment)
  let shared = try SupervisorLink.counters(environment)
  let counters = CounterSlot(shared?.counters, slot: shared?.slot ?? 0)
  counters.store(0, in: WorkerCounter.busySince.rawValue)
  let database = Database(
    configuration.mysql, recording: configuration.delivery.recording, counters: counters)
  let redis = RedisConnection(addresses: configuration.redis, counters: counters)
  let application = Application(
    APISettings(configuration), authenticator: Authenticator(configuration.jwt),
    database: database, redis: redis, counters: counters, log: log)
  let metrics = Metrics(
    counters: shared?.counters, routes: application.routeNames, socket: 0,
    signaling: SignalingPage(configuration.signaling.address, shared))
  let operations = Operations(database: database, redis: redis, metrics: metrics)
  log.debug("worker_started")
  try worker.serve { request in
    if let response = operations.respond(to: request) { return response }
    // What takes too long over it is ended by the supervisor.
    let now = UInt64(MonotonicClock.milliseconds())
    counters.store(now, in: WorkerCounter.busySince.rawValue)
    defer { counters.store(0, in: WorkerCounter.busySince.rawValue) }
    return application.respond(to: request)
  } refuse: { fault, requestId in
    if fault == .late { return Envelope.failure(.requestTimeout, requestId: requestId) }
    var response = Envelope.failure(
      .validation("request", .invalidBody, "The request is not well-formed."),
      requestId: requestId)
    response.status = fault.status
    return response
  }
  log.debug("worker_stopped")
} catch {
  log.error("worker_failed", ["error": .string("\(error)")])
  exitProcess(1)
}
