// Child processes (design §1). One suite, one test after the other: `reapChild` takes any child.

import CLinux
import Glibc
import System
import Testing

@Suite(.serialized) struct SpawnTests {
  /// Runs a shell script and gives back its end and what it wrote to descriptor 3.
  private func run(
    _ script: String, environment: [String] = ["A=1"], standardInput: Int32? = nil
  ) throws -> (exit: ProcessExit, output: String) {
    var ends: [Int32] = [0, 0]
    try retryingInterrupts("pipe") { pipe(&ends) }
    let reading = Descriptor(ends[0])
    let null = Descriptor(open("/dev/null", O_RDWR | O_CLOEXEC))
    let writing = Descriptor(ends[1])
    _ = chattrix_fcntl(reading.raw, F_SETFD, FD_CLOEXEC)
    _ = chattrix_fcntl(writing.raw, F_SETFD, FD_CLOEXEC)
    let child = try spawn(
      program: "/bin/sh", arguments: ["-c", script], environment: environment,
      standardInput: standardInput ?? null.raw, inherited: [(writing.raw, 3)])
    close(writing.release())
    var output: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = read(reading.raw, &chunk, chunk.count)
      if count <= 0 { break }
      output += chunk[..<count]
    }
    var status: Int32 = 0
    waitpid(child, &status, 0)
    let exit: ProcessExit =
      chattrix_signaled(status) != 0
      ? .signaled(chattrix_signal(status)) : .exited(code: chattrix_exit_code(status))
    return (exit, String(decoding: output, as: UTF8.self))
  }

  @Test func aChildHasItsEnvironmentAndNothingElse() throws {
    let (exit, output) = try run("echo $A:$B:$HOME >&3", environment: ["A=one two", "B=\"3\""])
    #expect(exit == .exited(code: 0))
    #expect(output == "one two:\"3\":\n")
  }

  @Test func aChildHasItsDescriptorsAndNoneThatCloseOnExec() throws {
    let path = "/tmp/chattrix-spawn-" + Randomness.system.hexadecimal(bytes: 8)
    let own = Descriptor(open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600))
    defer { unlink(path) }
    let list = "for fd in /proc/self/fd/*; do readlink $fd; done >&3"
    #expect(try !run(list).output.contains(path))
    let passed = try run(list, standardInput: own.raw)
    #expect(passed.output.split(separator: "\n").filter { $0 == path }.count == 1)
    #expect(passed.output.contains("pipe:"))
  }

  @Test func aChildHearsSignalsThatItsParentBlocks() throws {
    let thread = try Thread.start(name: "blocked") {
      do {
        // This thread blocks every signal.
        let (exit, _) = try run("kill -TERM $$; sleep 5")
        #expect(exit == .signaled(SIGTERM))
        let pipe = try run("kill -PIPE $$; sleep 5")
        #expect(pipe.exit == .signaled(SIGPIPE))
      } catch { Issue.record(error) }
    }
    thread.join()
  }

  @Test func endsAreToldApart() throws {
    #expect(try run("exit 78").exit == .exited(code: 78))
    #expect(try run("kill -KILL $$").exit == .signaled(SIGKILL))
    #expect("\(ProcessExit.exited(code: 78))" == "exit status 78")
    #expect("\(ProcessExit.signaled(9))" == "signal 9")
  }

  @Test func aProgramThatIsNotThereIsAnError() {
    #expect(throws: SystemError(errno: ENOENT, call: "spawn /nonexistent/program")) {
      try spawn(program: "/nonexistent/program", environment: [], standardInput: 0)
    }
  }
}
