// What surrounds a process, and what it can say of itself.

import Glibc
import System
import Testing

@Suite struct ProcessTests {
  @Test func filesAreReadWholeWithinTheirLimit() throws {
    let path = "/tmp/chattrix-file-" + Randomness.system.hexadecimal(bytes: 8)
    defer { unlink(path) }
    let file = Descriptor(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600))
    #expect(try readFile(path, limit: 0) == [])
    let text = String(repeating: "0123456789", count: 5000)
    writeOut(text, to: file.raw)
    #expect(try readFile(path, limit: 50_000) == Array(text.utf8))
    #expect { try readFile(path, limit: 49_999) } throws: {
      ($0 as? SystemError)?.errno == EFBIG
    }
    #expect { try readFile(path + "x", limit: 1) } throws: {
      ($0 as? SystemError)?.errno == ENOENT
    }
    #expect(throws: SystemError.self) { try readFile("/dev/zero", limit: 100_000) }
    #expect(throws: SystemError.self) { try readFile("/tmp", limit: 100_000) }
  }

  @Test func foldersAreListedInOrder() throws {
    let path = "/tmp/chattrix-folder-" + Randomness.system.hexadecimal(bytes: 8)
    mkdir(path, 0o700)
    let names = ["b", "a", "é", ".hidden", "C"]
    for name in names { close(open("\(path)/\(name)", O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)) }
    defer {
      for name in names { unlink("\(path)/\(name)") }
      rmdir(path)
    }
    #expect(try listFolder(path) == ["C", "a", "b", "é"])
    #expect(throws: SystemError.self) { try listFolder(path + "x") }
  }

  @Test func theEnvironmentIsReadAsItIs() throws {
    setenv("CHATTRIX_TEST_VARIABLE", "a=b c", 1)
    defer { unsetenv("CHATTRIX_TEST_VARIABLE") }
    #expect(processEnvironment()["CHATTRIX_TEST_VARIABLE"] == "a=b c")
    #expect(processEnvironment()["CHATTRIX_TEST_OTHER"] == nil)
    #expect(try programPath().hasPrefix("/"))
  }

  @Test("R12.4 a backtrace begins with its caller and names functions")
  func backtrace() {
    let lines = Backtrace.capture().lines
    #expect((3...48).contains(lines.count))
    #expect(lines.allSatisfy { !$0.isEmpty && !$0.contains("\n") })
  }

  @Test func randomBytesAreRandomAndHexadecimal() {
    #expect(Randomness.system.bytes(0) == [])
    #expect(Randomness.system.bytes(1000).count == 1000)
    #expect(Set((0..<1000).map { _ in Randomness.system.hexadecimal(bytes: 8) }).count == 1000)
    #expect(hexadecimal([0, 15, 16, 255]) == "000f10ff")
    let fixed = Randomness { (0..<$0).map { UInt8($0 + 1) } }
    #expect(fixed.uint32() == 0x0102_0304)
  }

  @Test func theMonotonicClockGoesForward() {
    let started = MonotonicClock.microseconds()
    usleep(20_000)
    let passed = MonotonicClock.microseconds() - started
    #expect((20_000..<120_000_000).contains(passed))
  }

  @Test func errorsNameTheirCall() {
    let error = SystemError(errno: ENOENT, call: "open /x")
    #expect("\(error)" == "open /x: No such file or directory")
  }
}
