import Testing
import WebSocket

@Suite struct MessageDecoderTests {
  private static let sizes = [1, 2, 3, 5, 7, 64, .max]

  @Test(arguments: [0, 1, 125, 126, 127, 128, 65535, 65536])
  func messagesOfEveryLengthArriveWhole(length: Int) {
    let payload = (0..<length).map { UInt8($0 & 0x7F) }
    let bytes = ClientFrames.frame(1, payload) + ClientFrames.frame(2, payload)
    for size in [1, 997, .max] {
      let decoded = Decoded(bytes, by: size)
      #expect(
        decoded.items == [
          .init(kind: .text, payload: payload), .init(kind: .binary, payload: payload),
        ])
      #expect(decoded.isIdle)
    }
  }

  @Test(arguments: sizes)
  func fragmentsAreJoinedAndControlFramesStandBetweenThem(size: Int) {
    let bytes =
      ClientFrames.text("frag", isFinal: false) + ClientFrames.frame(9, [1, 2])
      + ClientFrames.frame(0, Array("men".utf8), isFinal: false) + ClientFrames.frame(10)
      + ClientFrames.frame(0, [], isFinal: false) + ClientFrames.frame(0, Array("t€".utf8))
      + ClientFrames.frame(9) + ClientFrames.text("next")
    let decoded = Decoded(bytes, by: size)
    #expect(
      decoded.kinds == [.fragment, .ping, .fragment, .pong, .fragment, .text, .ping, .text])
    #expect(decoded.items[1].payload == [1, 2])
    #expect(decoded.texts == ["fragment€", "next"])
    #expect(decoded.isIdle)
  }

  @Test(arguments: sizes)
  func aCharacterMaySpanFragments(size: Int) {
    let euro = Array("€".utf8)
    let bytes =
      ClientFrames.frame(1, [euro[0]], isFinal: false)
      + ClientFrames.frame(0, [euro[1]], isFinal: false) + ClientFrames.frame(0, [euro[2]])
    #expect(Decoded(bytes, by: size).texts == ["€"])
  }

  @Test(arguments: sizes)
  func sequencesOfFramesThatMakeNoSenseAreRefused(size: Int) {
    let wrong = [
      ClientFrames.frame(0, [1]),
      ClientFrames.frame(0, [1], isFinal: false),
      ClientFrames.text("a") + ClientFrames.frame(0, [1]),
      ClientFrames.text("a", isFinal: false) + ClientFrames.text("b"),
      ClientFrames.text("a", isFinal: false) + ClientFrames.frame(2, [1], isFinal: false),
      ClientFrames.text("a", isFinal: false) + ClientFrames.frame(9, isFinal: false),
    ]
    for bytes in wrong {
      let decoded = Decoded(bytes, by: size)
      #expect(decoded.failure == .protocolError)
      #expect(decoded.texts.allSatisfy { $0 == "a" })
    }
  }

  @Test(arguments: [0, 1, 4, 7] as [UInt8])
  func reservedBitsFailEvenBehindAGoodMessage(reserved: UInt8) {
    let bytes = ClientFrames.text("a") + ClientFrames.frame(1, [0x62], reserved: reserved)
    let decoded = Decoded(bytes)
    #expect(decoded.failure == (reserved == 0 ? nil : .protocolError))
    #expect(decoded.texts == (reserved == 0 ? ["a", "b"] : ["a"]))
  }

  @Test func unmaskedFramesAreRefused() {
    #expect(Decoded(ClientFrames.frame(1, [0x61], mask: nil)).failure == .protocolError)
    #expect(Decoded(ClientFrames.frame(8, mask: nil)).failure == .protocolError)
  }

  @Test func theZeroMaskIsAMask() {
    #expect(Decoded(ClientFrames.frame(1, [0x61], mask: [0, 0, 0, 0])).texts == ["a"])
  }

  @Test(arguments: UTF8Vectors.invalid)
  func invalidTextFailsWith1007HoweverItArrives(payload: [UInt8]) {
    let single = payload.map { ClientFrames.frame(0, [$0], isFinal: false) }
    let fragments =
      ClientFrames.frame(1, isFinal: false) + single.flatMap { $0 } + ClientFrames.frame(0)
    for size in [1, 3, .max] {
      #expect(Decoded(ClientFrames.frame(1, payload), by: size).failure == .invalidPayload)
      #expect(Decoded(fragments, by: size).failure == .invalidPayload)
    }
    #expect(Decoded(ClientFrames.frame(2, payload)).failure == nil)
  }

  @Test(arguments: UTF8Vectors.valid)
  func validTextIsHandedOn(payload: [UInt8]) {
    for size in [1, 3, .max] {
      #expect(
        Decoded(ClientFrames.frame(1, payload), by: size).items
          == [.init(kind: .text, payload: payload)])
    }
  }

  /// The connection fails at the byte that makes the text invalid, not at the end of its frame.
  @Test func invalidTextFailsFastWithinAFrame() {
    let payload = Array("κόσμε".utf8) + [0xF4, 0x90, 0x80, 0x80] + Array("edited".utf8)
    let bytes = ClientFrames.frame(1, payload)
    let decoded = Decoded(bytes, by: 1)
    #expect(decoded.failure == .invalidPayload)
    #expect(decoded.failedAt == bytes.count - "edited".utf8.count - 2)
  }

  @Test(arguments: [1, 64, .max])
  func theLimitHoldsForAWholeMessage(size: Int) {
    let half = [UInt8](repeating: 0x61, count: 8192)
    let fits = ClientFrames.frame(1, half, isFinal: false) + ClientFrames.frame(0, half)
    #expect(Decoded(fits, by: size, limit: 16_384).texts.map(\.utf8.count) == [16_384])
    let over =
      ClientFrames.frame(1, half, isFinal: false) + ClientFrames.frame(0, half, isFinal: false)
      + ClientFrames.frame(0, [0x61])
    #expect(Decoded(over, by: size, limit: 16_384).failure == .messageTooBig)
    // The limit is a message's, so the next one has all of it.
    #expect(Decoded(fits + fits, by: size, limit: 16_384).texts.count == 2)
  }

  /// A header that announces too much is refused when it has come, not when its payload has.
  @Test func theLimitIsCheckedFromTheHeader() {
    let header = Array(ClientFrames.frame(1, [UInt8](repeating: 0x61, count: 70_000)).prefix(10))
    let decoded = Decoded(header, by: 1, limit: 16_384)
    #expect(decoded.failure == .messageTooBig)
    #expect(decoded.failedAt == 10)
  }

  @Test(
    arguments: [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999])
  func validCloseCodesAreTaken(code: UInt16) {
    for size in [1, .max] {
      #expect(
        Decoded(ClientFrames.close(code, Array("bye €".utf8)), by: size).items
          == [.init(kind: .close(CloseCode(code)), payload: Array("bye €".utf8))])
    }
  }

  @Test(arguments: [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535])
  func otherCloseCodesAreRefused(code: UInt16) {
    #expect(Decoded(ClientFrames.close(code)).failure == .protocolError)
  }

  @Test func closeFramesHaveTheirForm() {
    #expect(Decoded(ClientFrames.frame(8)).kinds == [.close(nil)])
    #expect(Decoded(ClientFrames.frame(8, [3])).failure == .protocolError)
    #expect(Decoded(ClientFrames.close(1000, [0xED, 0xA0, 0x80])).failure == .invalidPayload)
    let longest = [UInt8](repeating: 0x2A, count: 123)
    #expect(Decoded(ClientFrames.close(1000, longest)).items.first?.payload == longest)
    #expect(Decoded(ClientFrames.close(1000, longest + [0x2A])).failure == .protocolError)
  }

  @Test func nothingIsReadBehindAClose() {
    let bytes = ClientFrames.close(1000) + ClientFrames.text("late") + [0xFF, 0xFF]
    #expect(Decoded(bytes).kinds == [.close(.normal)])
    #expect(Decoded(bytes).failure == nil)
  }

  @Test func theReceiverMayStop() throws {
    var bytes = ClientFrames.text("a") + ClientFrames.text("b")
    var decoder = MessageDecoder()
    var count = 0
    var span = bytes.mutableSpan
    try decoder.decode(&span, limit: 100) { _, _ in
      count += 1
      return false
    }
    #expect(count == 1)
  }

  @Test func anIdleDecoderIsOnePointer() {
    #expect(MemoryLayout<MessageDecoder>.size == 8)
  }

  /// Any valid stream gives the same, wherever it is cut.
  @Test func randomStreamsGiveTheSameInAnyPieces() {
    for _ in 0..<30 {
      var bytes: [UInt8] = []
      for _ in 0..<Int.random(in: 1...6) { bytes += Self.randomMessage() }
      let whole = Decoded(bytes)
      #expect(whole.failure == nil && whole.isIdle)
      #expect((1..<bytes.count).allSatisfy { Decoded(bytes, by: $0) == whole })
    }
  }

  private static func randomMessage() -> [UInt8] {
    let mask = (0..<4).map { _ in UInt8.random(in: 0...255) }
    let text = String((0..<Int.random(in: 0...30)).map { _ in "aé€😀 ".randomElement()! })
    let payload = Array(text.utf8)
    switch Int.random(in: 0...4) {
    case 0: return ClientFrames.frame(9, Array(payload.prefix(125)), mask: mask)
    case 1: return ClientFrames.frame(2, payload, mask: mask)
    case 2: return ClientFrames.frame(1, payload, mask: mask)
    default:
      let cut = Int.random(in: 0...payload.count)
      return ClientFrames.frame(1, Array(payload[..<cut]), isFinal: false, mask: mask)
        + ClientFrames.frame(10, [], mask: mask)
        + ClientFrames.frame(0, Array(payload[cut...]), mask: mask)
    }
  }

  @Test func randomBytesNeverTrap() {
    for _ in 0..<3000 {
      var bytes = ClientFrames.text("hello", isFinal: false) + ClientFrames.frame(0, [1, 2, 3])
      for _ in 0..<3 { bytes[bytes.indices.randomElement()!] = .random(in: 0...255) }
      _ = Decoded(bytes, by: .random(in: 1...9), limit: 100)
    }
  }
}
