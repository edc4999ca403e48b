// A real redis-server of a test's own on a Unix socket in a directory of its own.

import Glibc
import Redis
import System

extension RedisTimeouts {
  /// Of tests that are not about time: a busy machine may hold up any of their steps, and a refusal, too.
  package static var patient: RedisTimeouts {
    var timeouts = RedisTimeouts()
    timeouts.connectMilliseconds = 30_000
    timeouts.replyMilliseconds = 30_000
    timeouts.cheapMilliseconds = 10_000
    return timeouts
  }
}

package final class RedisServer {
  private let directory: String
  private let options: [String]
  private var child: pid_t?

  package var address: RedisAddress {
    get throws { try RedisAddress(url: "unix://\(directory)/s") }
  }

  package func connect() throws -> RedisConnection {
    RedisConnection(address: try address, timeouts: .patient)
  }

  package init(options: [String] = []) throws {
    self.options = options
    directory = "/tmp/chattrix-redis-\(Randomness.system.hexadecimal(bytes: 8))"
    guard mkdir(directory, 0o700) == 0 else { throw SystemError(call: "mkdir") }
    try start()
  }

  deinit {
    stop()
    for name in ["s", "log", "dump.rdb"] { unlink("\(directory)/\(name)") }
    rmdir(directory)
  }

  package func start() throws {
    let null = Descriptor(open("/dev/null", O_RDONLY | O_CLOEXEC))
    child = try spawn(
      program: "/usr/bin/env",
      arguments: [
        "redis-server", "--port", "0", "--unixsocket", "\(directory)/s", "--save", "",
        "--dir", directory, "--logfile", "\(directory)/log",
      ] + options,
      environment: ["PATH=/usr/local/bin:/usr/bin:/bin"], standardInput: null.raw)
    // At leisure it takes some 10 ms; a machine may stand still for seconds.
    for _ in 0..<3000 {
      if (try? System.connect(to: address.socket, timeoutMilliseconds: 100)) != nil { return }
      usleep(10_000)
    }
    throw SystemError(errno: ETIMEDOUT, call: "start redis-server")
  }

  package func stop() {
    guard let child else { return }
    kill(child, SIGKILL)
    var status: Int32 = 0
    waitpid(child, &status, 0)
    unlink("\(directory)/s")
    self.child = nil
  }

  /// Lets the server hang, as a machine that is out of memory does.
  package func freeze(_ frozen: Bool) {
    if let child { kill(child, frozen ? SIGSTOP : SIGCONT) }
  }
}
