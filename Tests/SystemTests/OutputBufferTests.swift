import Glibc
import Testing

@testable import System

@Suite struct OutputBufferTests {
  private struct Pipe: ~Copyable {
    let reader: Descriptor
    let writer: Descriptor

    init() {
      var ends: [Int32] = [0, 0]
      _ = Glibc.pipe(&ends)
      reader = Descriptor(ends[0])
      writer = Descriptor(ends[1])
    }
  }

  @Test func smallPiecesAreWrittenTogether() throws {
    let pipe = Pipe()
    var output = OutputBuffer(descriptor: pipe.writer.raw)
    try output.append(Array("one ".utf8))
    try output.append(Array("two".utf8))
    var waiting = pollfd(fd: pipe.reader.raw, events: Int16(POLLIN), revents: 0)
    #expect(poll(&waiting, 1, 0) == 0)
    try output.flush()
    try output.flush()
    var bytes = [UInt8](repeating: 0, count: 100)
    let count = read(pipe.reader.raw, &bytes, 100)
    #expect(String(decoding: bytes.prefix(count), as: UTF8.self) == "one two")
  }

  /// In a thread of its own, which gets no signals: another test has SIGPIPE end the process.
  @Test func aReaderThatIsGoneIsAnError() throws {
    let thread = try Thread.start(name: "writer") {
      var ends: [Int32] = [0, 0]
      _ = pipe(&ends)
      close(ends[0])
      let writer = Descriptor(ends[1])
      var output = OutputBuffer(descriptor: writer.raw)
      do throws(SystemError) {
        try output.append([UInt8](repeating: 1, count: 200_000))
        Issue.record("written to nobody")
      } catch { #expect(error.hasNoReader) }
    }
    thread.join()
  }

  @Test func aFullDiskIsAnotherError() throws {
    let full = Descriptor(open("/dev/full", O_WRONLY | O_CLOEXEC))
    var output = OutputBuffer(descriptor: full.raw)
    do {
      try output.append([1])
      try output.flush()
      Issue.record("written to a full disk")
    } catch {
      #expect(error.errno == ENOSPC)
      #expect(!error.hasNoReader)
    }
  }
}
