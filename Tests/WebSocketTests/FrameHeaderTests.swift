import Testing
import WebSocket

@Suite struct FrameHeaderTests {
  private static let lengths = [0, 1, 125, 126, 127, 128, 65535, 65536, 65537, 1 << 20]

  @Test(arguments: lengths)
  func lengthsAreReadAndWrittenInTheirShortestForm(length: Int) throws {
    var written: [UInt8] = []
    FrameHeader.append(.binary, length: length, to: &written)
    #expect(written.count == (length <= 125 ? 2 : length <= 65535 ? 4 : 10))
    // A client's header is a server's with the mask bit and a key.
    written[1] |= 0x80
    let header = try #require(
      try FrameHeader.parse((written + [1, 2, 3, 4]).span, limit: 1 << 20))
    #expect(header.isFinal && header.opcode == .binary && header.length == length)
    #expect(header.mask == 0x0403_0201)
    #expect(header.byteCount == written.count + 4)
  }

  @Test(arguments: lengths)
  func everyPrefixIsIncomplete(length: Int) throws {
    let whole = ClientFrames.frame(2, [UInt8](repeating: 0, count: length))
    let size = whole.count - length
    for count in 0..<size {
      #expect(try FrameHeader.parse(whole.span.extracting(0..<count), limit: 1 << 20) == nil)
    }
    #expect(
      try FrameHeader.parse(whole.span.extracting(0..<size), limit: 1 << 20)?.byteCount == size)
  }

  /// Each is refused with the last byte given, and no sooner.
  @Test(
    arguments: [
      [0xC1], [0xA1], [0x91], [0xF1],  // RSV1, RSV2, RSV3, all
      [0x83], [0x84], [0x85], [0x86], [0x87], [0x8B], [0x8C], [0x8D], [0x8E], [0x8F],  // reserved
      [0x08], [0x09], [0x0A],  // fragmented control frames
      [0x81, 0x05], [0x88, 0x00], [0x81, 0x7E],  // not masked
      [0x88, 0xFE], [0x89, 0xFE], [0x8A, 0xFF],  // control frames over 125 bytes
      [0x81, 0xFE, 0, 125],  // not minimal
      [0x81, 0xFE, 0, 0],
      [0x81, 0xFF, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF],
      [0x81, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0],  // the top bit
      [0x81, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
    ] as [[UInt8]])
  func violationsAreRefusedAtOnce(bytes: [UInt8]) throws {
    for count in 0..<bytes.count {
      #expect(try FrameHeader.parse(bytes.span.extracting(0..<count), limit: .max) == nil)
    }
    #expect {
      try FrameHeader.parse(bytes.span, limit: .max)
    } throws: {
      ($0 as? WebSocketFailure)?.code == .protocolError
    }
  }

  @Test(
    arguments: [
      ([0x82, 0x80 | 101], 100), ([0x82, 0xFE, 0x40, 0x01], 16384),
      ([0x82, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], 16384),
    ] as [([UInt8], Int)])
  func tooLongIsRefusedFromTheLengthAlone(bytes: [UInt8], limit: Int) throws {
    #expect {
      try FrameHeader.parse(bytes.span, limit: limit)
    } throws: {
      ($0 as? WebSocketFailure)?.code == .messageTooBig
    }
    #expect(try FrameHeader.parse(bytes.span.extracting(0..<bytes.count - 1), limit: limit) == nil)
  }

  @Test func controlFramesDoNotCountAgainstTheLimit() throws {
    let ping = ClientFrames.frame(9, [UInt8](repeating: 0, count: 125))
    #expect(try FrameHeader.parse(ping.span, limit: 0)?.length == 125)
  }

  @Test func tenThousandRandomHeadersComeBack() throws {
    for _ in 0..<10_000 {
      let opcode = Opcode(rawValue: [0, 1, 2, 8, 9, 10].randomElement()!)!
      let isFinal = opcode.isControl || Bool.random()
      let length =
        opcode.isControl
        ? Int.random(in: 0...125) : [0, 1, 125, 126, 300, 65535, 65536].randomElement()!
      let mask = (0..<4).map { _ in UInt8.random(in: 0...255) }
      let bytes = ClientFrames.header(opcode.rawValue, length, isFinal: isFinal, mask: mask)
      let key = mask.reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      let header = try #require(try FrameHeader.parse(bytes.span, limit: 70_000))
      #expect(
        header.isFinal == isFinal && header.opcode == opcode && header.length == length
          && header.mask == key && header.byteCount == bytes.count)
    }
  }
}
