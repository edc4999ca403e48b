// Log lines: one JSON object each (R12.4, contract §1).

import CLinux
import Glibc
import JSON
import Synchronization
import System
import Testing

@Suite struct LogTests {
  /// What `body` writes, line by line.
  private func lines(_ level: LogLevel = .debug, _ body: (Log) -> Void) throws -> [JSONValue] {
    let path = "/tmp/chattrix-log-" + Randomness.system.hexadecimal(bytes: 8)
    let file = Descriptor(open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o600))
    defer { unlink(path) }
    body(Log(program: "test", level: level, descriptor: file.raw))
    return try readFile(path, limit: 1 << 20).split(separator: UInt8(ascii: "\n")).map {
      try JSONParser.parse(Array($0))
    }
  }

  @Test("R12.4 every line is one object, with time, level, program, process, request and event")
  func members() throws {
    let written = try lines { log in
      log.error("went_wrong", requestId: "r-1", ["count": 3, "who": .null])
      log.info("started")
    }
    #expect(written.count == 2)
    #expect(written[0]["level"] == "error")
    #expect(written[0]["program"] == "test")
    #expect(written[0]["pid"] == .int(Int64(getpid())))
    #expect(written[0]["requestId"] == "r-1")
    #expect(written[0]["event"] == "went_wrong")
    #expect(written[0]["count"] == 3)
    #expect(written[0]["who"]?.isNull == true)
    #expect(written[0]["time"]?.stringValue.flatMap { Timestamp(iso8601: $0) } != nil)
    #expect(written[1]["requestId"] == nil)
  }

  @Test("R12.4 whatever a value holds, it is one line")
  func hostileValues() throws {
    let hostile = "line\nbreak\r\u{0}\u{1b}[31m\"quote\\ \u{2028} 😀 {\"event\":\"forged\"}"
    let written = try lines { log in
      log.warning(hostile, requestId: hostile, ["value": .string(hostile)])
    }
    #expect(written.count == 1)
    #expect(written[0]["event"]?.stringValue == hostile)
    #expect(written[0]["value"]?.stringValue == hostile)
  }

  @Test func aLevelLetsThroughWhatIsAsGraveOrGraver() throws {
    for level in LogLevel.allCases {
      let written = try lines(level) { log in
        log.debug("debug")
        log.info("info")
        log.warning("warning")
        log.error("error")
      }
      #expect(
        written.map { $0["level"]?.stringValue }
          == LogLevel.allCases.filter { $0 >= level }.map(\.name))
      #expect(LogLevel(name: level.name.uppercased()) == level)
    }
    #expect(LogLevel(name: "verbose") == nil)
  }

  @Test("R12.4 lines of several writers do not mix")
  func severalWriters() throws {
    let written = try lines { log in
      let threads = (0..<4).compactMap { number in
        try? Thread.start(name: "writer") {
          for _ in 0..<100 {
            log.info("line", ["text": .string(String(repeating: "\(number)", count: 500))])
          }
        }
      }
      for thread in threads { thread.join() }
    }
    #expect(written.count == 400)
  }

  /// A pipe whose reader does not read.
  private struct StalledPipe: ~Copyable {
    let reader: Descriptor
    let writer: Descriptor

    init() throws {
      var ends: [Int32] = [0, 0]
      try retryingInterrupts("pipe") { Glibc.pipe(&ends) }
      reader = Descriptor(ends[0])
      writer = Descriptor(ends[1])
    }
  }

  /// All that a pipe holds.
  private func drained(_ reader: borrowing Descriptor) throws -> [UInt8] {
    try setNonBlocking(reader.raw)
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = read(reader.raw, &piece, piece.count), count > 0 {
      bytes += piece[..<count]
    }
    return bytes
  }

  @Test("many writers of one pipe whose reader has stopped do not wait for each other's room")
  func crowdedPipe() throws {
    let pipe = try StalledPipe()
    let raw = pipe.writer.raw
    let through = Atomic(0)
    let threads = try (0..<8).map { _ in
      try Thread.start(name: "writer") {
        // Each with a sink of its own, as the processes of a pool have.
        let log = Log(program: "test", level: .info, descriptor: raw)
        let text = String(repeating: "x", count: 500)
        for _ in 0..<5000 { log.info("line", ["text": .string(text)]) }
        through.add(1, ordering: .sequentiallyConsistent)
      }
    }
    var count = 0
    for _ in 0..<6000 where count < threads.count {
      usleep(10_000)
      count = through.load(ordering: .sequentiallyConsistent)
    }
    #expect(count == threads.count)
    _ = try drained(pipe.reader)  // so that the test ends all the same
    for thread in threads { thread.join() }
  }

  @Test("what was lost is counted, and told of before the next line, each on a line of its own")
  func lostLines() throws {
    let pipe = try StalledPipe()
    let log = Log(program: "test", level: .info, descriptor: pipe.writer.raw)
    // Longer than what a pipe takes at once, so that the last one is cut.
    let text = String(repeating: "x", count: 3 * Int(PIPE_BUF))
    for _ in 0..<50 { log.info("line", ["text": .string(text)]) }
    let whole = try drained(pipe.reader).split(separator: UInt8(ascii: "\n")).count {
      (try? JSONParser.parse(Array($0))) != nil
    }
    log.info("later")
    let lines = try drained(pipe.reader).split(separator: UInt8(ascii: "\n")).map {
      try JSONParser.parse(Array($0))
    }
    #expect(lines.map { $0["event"]?.stringValue } == ["log_lines_lost", "later"])
    #expect(lines.first?["lines"] == .int(Int64(50 - whole)))
  }

  @Test("a reader that has stopped, or has gone, holds nobody up and ends nobody")
  func brokenReaders() throws {
    for isSocket in [false, true] {
      var ends: [Int32] = [0, 0]
      try retryingInterrupts("pipe") {
        isSocket
          ? socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) : Glibc.pipe(&ends)
      }
      let writer = Descriptor(ends[1])
      let reader = Descriptor(ends[0])
      let raw = writer.raw
      let isThrough = Atomic(false)
      let text = String(repeating: "x", count: 900)
      let thread = try Thread.start(name: "writer") {
        let log = Log(program: "test", level: .info, descriptor: raw)
        for _ in 0..<2000 { log.info("line", ["text": .string(text)]) }
        log.info("long", ["text": .string(String(repeating: text, count: 20))])
        isThrough.store(true, ordering: .sequentiallyConsistent)
      }
      var isSo = false
      // One that waits for its reader does so until that is closed, below.
      for _ in 0..<6000 where !isSo {
        usleep(10_000)
        isSo = isThrough.load(ordering: .sequentiallyConsistent)
      }
      #expect(isSo, "socket: \(isSocket)")
      // Whoever is held up goes on from here, with an error.
      close(reader.release())
      thread.join()
      Log(program: "test", level: .info, descriptor: raw).info("to nobody")
    }
  }
}
