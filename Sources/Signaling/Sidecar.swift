// The signaling sidecar as a whole: one event loop, a few threads beside it.

import System

package struct Sidecar: Sendable {
  let mailbox: Mailbox

  package init() throws(SystemError) { mailbox = try Mailbox() }

  /// Serves until SIGTERM, SIGINT or `stop`, and until the shutdown that they begin is through.
  /// - Parameter notifier: The service manager, which ends a process whose event loop stands still.
  /// - Throws: `SystemError` where no thread or descriptor can be had.
  package func run(
    on socket: ListeningSocket, settings: SignalingSettings, services: SignalingServices,
    notifier: ServiceNotifier = ServiceNotifier(environment: [:])
  ) throws(SystemError) {
    let server = try Server(on: socket, settings: settings.server, wakeUp: mailbox.raw)
    let hub = try Hub(
      server: server, settings: settings, services: services, mailbox: mailbox, notifier: notifier)
    services.log.info("started", ["address": .string(socket.name)])
    notifier.ready()
    try server.run(hub)
    try hub.noteDepartures()
    hub.endThreads()
    services.log.info("stopped")
  }

  /// Begins a shutdown, from any thread.
  package func stop() { mailbox.post(.stop) }
}
