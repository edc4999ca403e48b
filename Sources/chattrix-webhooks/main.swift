// Sends webhooks to the application and kicks to Agora (contract §8, §9.4), beside the workers and under the same
// supervisor. Nothing in a worker or in the WebSocket server ever waits for a server elsewhere.

import Configuration
import Delivery
import Glibc
import HTTPClient
import Storage
import System

Version.printIfAsked(program: "chattrix-webhooks", CommandLine.arguments)
let configuration = Configuration.loadOrExit(program: "chattrix-webhooks")
let log = Log(program: "chattrix-webhooks", level: configuration.logLevel)

do {
  signal(SIGPIPE, SIG_IGN)
  let signals = try SignalDescriptor([SIGTERM, SIGINT])
  let environment = processEnvironment()
  SupervisorLink.followSupervisor(environment)
  let shared = try SupervisorLink.counters(environment)
  let host = try HostName()
  let counters = CounterSlot(shared?.counters, slot: shared?.slot ?? 0)
  let database = Database(configuration.mysql, counters: counters)
  let queue = WebhookQueue(database, owner: host.name(of: getpid()))
  releaseLeases(of: host, queue, log)
  let wake = try WakeUp()
  try listen(to: configuration.redis, wake, counters)
  let services = DispatcherServices(
    queue: queue, context: makeContext(configuration, database, counters),
    trust: try TrustStore(caFile: configuration.delivery.caFile), wake: wake, log: log,
    counters: DeliveryCounters(counters: shared?.counters, slot: shared?.slot ?? 0))
  let dispatcher = try Dispatcher(DeliverySettings(configuration), services)
  log.info("webhooks_started", ["concurrency": .int(Int64(configuration.delivery.concurrency))])
  try dispatcher.run(until: signals)
  log.info("webhooks_stopped")
} catch {
  log.error("webhooks_failed", ["error": .string("\(error)")])
  exitProcess(1)
}
