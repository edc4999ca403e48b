// Sends every message back: the sidecar's own event loop, without what it does for calls, for test
// suites and load generators that speak to echo servers.
//
//   echo-server ADDRESS        HOST:PORT or unix:/PATH; ends on SIGTERM and SIGINT

import Signaling
import System

guard CommandLine.arguments.count == 2, let address = SocketAddress(CommandLine.arguments[1])
else {
  print("usage: echo-server HOST:PORT | unix:/PATH")
  exitProcess(64)
}

var settings = ServerSettings()
settings.messageBytes = 16 << 20  // Autobahn's longest
settings.queueBytes = 2 * settings.messageBytes
settings.pingSeconds = 3600  // a test may not expect a ping

do {
  let wakeUp = try EventDescriptor()
  let server = try Server(
    on: try ListeningSocket.open(address), settings: settings, wakeUp: wakeUp.descriptor.raw)
  try server.run(Echo(server))
} catch {
  print("\(error)")
  exitProcess(1)
}
