// Load for WebSocket servers, the sidecar and its peers alike (`make bench`). One thread, prebuilt
// requests and frames, one recv(2) and one send(2) a message: much less than any server has to do.
//
//   load idle         HOST:PORT OPTIONS   opens connections and keeps them until standard input ends
//   load handshakes   HOST:PORT OPTIONS   how fast connections open
//   load round-trips  HOST:PORT OPTIONS   how fast messages are answered, one in flight on each
//
//   --path PATH          asked for, "/" without it
//   --users FILE         one user id a line: the connections' own, with a JWT each, signed beforehand
//                        with $JWT_SECRET
//   --greeted            the server says something first, and a connection is open when that has come
//   --connections N      64 without it
//   --in-flight N        handshakes at a time, 64 without it
//   --after-greeting     the next handshake begins with a greeting, not with a 101
//   --seconds N          of round trips, 4 without it
//   --message TEXT       sent; at most 125 bytes
//   --server PID         whose processor time is told as well
//
// Prints one line of JSON; says what went wrong on standard error and ends with 1.

import Glibc
import System

do {
  let options = try Options(Array(CommandLine.arguments.dropFirst()), processEnvironment())
  signal(SIGPIPE, SIG_IGN)
  switch options.mode {
  case .idle: try idle(options)
  case .handshakes: try handshakes(options)
  case .roundTrips: try roundTrips(options)
  }
} catch {
  writeOut("load: \(error)\n", to: STDERR_FILENO)
  exitProcess(1)
}
