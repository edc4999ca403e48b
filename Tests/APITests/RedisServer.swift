// A real redis-server of a test's own on a Unix socket in a directory of its own.

import Glibc
import Redis
import System

final class RedisServer {
  private let directory: String
  private var child: pid_t?

  init() throws {
    directory = "/tmp/chattrix-redis-\(Randomness.system.hexadecimal(bytes: 8))"
    guard mkdir(directory, 0o700) == 0 else { throw SystemError(call: "mkdir") }
    try start()
  }

  deinit {
    stop()
    for name in ["s", "log"] { unlink("\(directory)/\(name)") }
    rmdir(directory)
  }

  func connect() throws -> RedisConnection {
    RedisConnection(address: try RedisAddress(url: "unix://\(directory)/s"))
  }

  func start() throws {
    let null = Descriptor(open("/dev/null", O_RDONLY | O_CLOEXEC))
    child = try spawn(
      program: "/usr/bin/env",
      arguments: [
        "redis-server", "--port", "0", "--unixsocket", "\(directory)/s", "--save", "",
        "--dir", directory, "--logfile", "\(directory)/log",
      ], environment: ["PATH=/usr/local/bin:/usr/bin:/bin"], standardInput: null.raw)
    let address = SocketAddress.unix(path: "\(directory)/s")
    for _ in 0..<500 {
      if (try? System.connect(to: address, timeoutMilliseconds: 100)) != nil { return }
      usleep(10_000)
    }
    throw SystemError(errno: ETIMEDOUT, call: "start redis-server")
  }

  func stop() {
    guard let child else { return }
    kill(child, SIGKILL)
    var status: Int32 = 0
    waitpid(child, &status, 0)
    unlink("\(directory)/s")
    self.child = nil
  }
}
