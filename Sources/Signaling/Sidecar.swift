// The signaling sidecar as a whole: one event loop, a few threads beside it.

import System

package struct Sidecar: Sendable {
  private let mailbox: Mailbox

  package init() throws(SystemError) { mailbox = try Mailbox() }

  /// Serves until SIGTERM, SIGINT or `stop`, and until the shutdown that they begin is through.
  /// - Throws: `SystemError` where the address cannot be bound or no thread can be had.
  package func run(
    on address: SocketAddress, settings: SignalingSettings, services: SignalingServices
  ) throws(SystemError) {
    let server = try Server(on: address, settings: settings.server, wakeUp: mailbox.raw)
    let hub = try Hub(server: server, settings: settings, services: services, mailbox: mailbox)
    services.log.info("started", ["address": .string(address.description)])
    try server.run(hub)
    try hub.noteDepartures()
    services.log.info("stopped")
  }

  /// Begins a shutdown, from any thread.
  package func stop() { mailbox.post(.stop) }
}
