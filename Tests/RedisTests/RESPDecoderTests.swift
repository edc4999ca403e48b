import Redis
import Testing

@Suite struct RESPDecoderTests {
  private func decode(
    _ text: String, by size: Int = .max, limits: RESPLimits = RESPLimits()
  ) throws(RedisError) -> [RedisValue] {
    var decoder = RESPDecoder(limits: limits)
    var values: [RedisValue] = []
    let bytes = Array(text.utf8)
    var position = 0
    while position < bytes.count {
      let end = position + min(size, bytes.count - position)
      decoder.feed(bytes.span.extracting(position..<end))
      position = end
      while let value = try decoder.next() { values.append(value) }
    }
    return values
  }

  @Test(arguments: [1, 2, 3, 5, 8, 13, 1000])
  func everyTypeIsReadInAnyPieces(size: Int) throws {
    let text =
      "+OK\r\n-ERR no\r\n:-12\r\n$5\r\na\r\nbc\r\n$0\r\n\r\n$-1\r\n*-1\r\n*0\r\n"
      + "*3\r\n$7\r\nmessage\r\n*2\r\n:1\r\n$-1\r\n+x\r\n"
    #expect(
      try decode(text, by: size) == [
        .simple("OK"), .error("ERR no"), .integer(-12), .bulk(Array("a\r\nbc".utf8)), .bulk([]),
        .null, .null, .array([]),
        .array([.bulk(Array("message".utf8)), .array([.integer(1), .null]), .simple("x")]),
      ])
  }

  @Test func anUnfinishedReplyIsWaitedFor() throws {
    #expect(try decode("$5\r\nabcde\r").isEmpty)
    #expect(try decode("*2\r\n:1\r\n").isEmpty)
    #expect(try decode("+OK\r").isEmpty)
  }

  @Test(arguments: [
    "hello\r\n", "!1\r\n", ":\r\n", ":1a\r\n", ":9223372036854775808\r\n", "$x\r\n", "$-2\r\n",
    "$1\r\nab\r\n", "*-2\r\n", "+a\rb\r\n", "$ 1\r\n",
  ])
  func whatIsNotRESPIsRefused(text: String) {
    #expect {
      try decode(text)
    } throws: {
      if case .protocolViolation? = $0 as? RedisError { true } else { false }
    }
  }

  /// The length alone is enough to refuse: nothing of it is waited for.
  @Test(arguments: [
    "$101\r\n", "$9223372036854775807\r\n", "*5\r\n", "*9223372036854775807\r\n",
    "+aaaaaaaaaaaaaaaaaaaaa", "*1\r\n*1\r\n*1\r\n",
    "*3\r\n$40\r\n" + String(repeating: "a", count: 40)
      + "\r\n$40\r\n",
  ])
  func limitsAreCheckedBeforeAnythingIsKept(text: String) {
    var limits = RESPLimits()
    (limits.replyBytes, limits.lineBytes, limits.elements, limits.depth) = (80, 20, 4, 2)
    #expect {
      try decode(text, limits: limits)
    } throws: {
      if case .protocolViolation? = $0 as? RedisError { true } else { false }
    }
  }

  /// With the byte that is one too many, not with the next.
  @Test(arguments: [1, 20, 21])
  func aLineIsRefusedAsSoonAsItIsTooLong(size: Int) {
    var limits = RESPLimits()
    limits.lineBytes = 20
    #expect(throws: RedisError.protocolViolation("a line too long")) {
      try decode("-" + String(repeating: "a", count: 21), by: size, limits: limits)
    }
  }

  @Test func randomBytesNeverTrap() {
    for _ in 0..<2000 {
      let alphabet = Array("*$:+-0123\r\n".utf8)
      let bytes = (0..<40).map { _ in alphabet.randomElement()! }
      var decoder = RESPDecoder()
      decoder.feed(bytes.span)
      while (try? decoder.next()) != nil {}
    }
  }

  @Test func aCommandIsAnArrayOfBulkStrings() {
    var bytes: [UInt8] = []
    RESPEncoder.encode(["SET", "k", RedisArgument([0, 13]), 12], to: &bytes)
    #expect(
      bytes == Array("*4\r\n$3\r\nSET\r\n$1\r\nk\r\n$2\r\n\u{0}\r\r\n$2\r\n12\r\n".utf8))
  }
}
