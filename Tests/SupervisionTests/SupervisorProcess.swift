// The real chattrix-supervisor in a folder of its own, with a shell script in the worker's place.

import Glibc
import System
import Testing

final class SupervisorProcess {
  let folder: String
  let process: pid_t
  let socketPath: String
  private var isReaped = false

  /// - Parameter worker: A shell script; `$DIR` is the folder. Each start is noted before it runs.
  init(worker: String, workers: Int = 2, environment: [String] = []) throws {
    let id = "\(getpid())-\(Randomness.system.hexadecimal(bytes: 4))"
    // Beside the test program, which is where the programs are built.
    let path = try programPath()
    let programs = String(path[..<path.lastIndex(of: "/")!])
    let folder = "\(programs)/supervision-test-\(id)"
    self.folder = folder
    socketPath = "/tmp/chattrix-supervision-test-\(id).sock"
    try retryingInterrupts("mkdir \(folder)") { mkdir(folder, 0o700) }
    try retryingInterrupts("link \(programs)/chattrix-supervisor") {
      link("\(programs)/chattrix-supervisor", "\(folder)/chattrix-supervisor")
    }
    Self.write("#!/bin/sh\necho $$ >> \(folder)/started\nDIR=\(folder)\n\(worker)\n", folder)
    let key = String(repeating: "0", count: 32)
    process = try spawn(
      program: "/bin/sh",
      arguments: ["-c", "exec \(folder)/chattrix-supervisor 2> \(folder)/log"],
      environment: [
        "PATH=/usr/bin:/bin", "AGORA_APP_ID=\(key)", "AGORA_APP_CERTIFICATE=\(key)",
        "MYSQL_DATABASE=none", "MYSQL_SOCKET=/nonexistent/mysql.sock", "JWT_SECRET=\(key)",
        "REDIS_URL=unix:///nonexistent/redis.sock", "WORKERS=\(workers)",
        "FASTCGI_SOCKET=unix:\(socketPath)", "LOG_LEVEL=debug",
      ] + environment,
      standardInput: STDIN_FILENO)
  }

  private static func write(_ script: String, _ folder: String) {
    let path = "\(folder)/chattrix-worker"
    let descriptor = Descriptor(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o700))
    writeOut(script, to: descriptor.raw)
  }

  deinit {
    if !isReaped {
      kill(process, SIGKILL)
      waitpid(process, nil, 0)
    }
    for worker in started { kill(worker, SIGKILL) }
    for name in ["chattrix-supervisor", "chattrix-worker", "log", "started", "input", "variables"] {
      unlink("\(folder)/\(name)")
    }
    rmdir(folder)
    unlink(socketPath)
  }

  func send(_ signal: Int32) { kill(process, signal) }

  /// Every worker that was ever started, in order.
  var started: [pid_t] { text("started").split(separator: "\n").compactMap { pid_t($0) } }

  /// Those of them that are still there.
  var living: [pid_t] { started.filter { kill($0, 0) == 0 } }

  func text(_ name: String) -> String {
    let bytes = try? readFile("\(folder)/\(name)", limit: 1_000_000)
    return String(decoding: bytes ?? [], as: UTF8.self)
  }

  /// - Returns: The exit status, or nil where it still runs after the time.
  func waitForEnd(seconds: Int) -> Int32? {
    var status: Int32 = 0
    for _ in 0..<seconds * 100 {
      if waitpid(process, &status, WNOHANG) == process {
        isReaped = true
        return status
      }
      usleep(10_000)
    }
    return nil
  }
}

/// Waits for a condition for up to a minute.
/// - Returns: How long it took, in milliseconds.
func wait(_ condition: () -> Bool) -> Int64? {
  let began = MonotonicClock.milliseconds()
  while MonotonicClock.milliseconds() - began < 60_000 {
    if condition() { return MonotonicClock.milliseconds() - began }
    usleep(5_000)
  }
  return nil
}
