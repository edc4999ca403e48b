import Testing
import WebSocket

@Suite struct FrameEncoderTests {
  private func close(_ code: CloseCode?, _ reason: String = "") -> [UInt8] {
    var bytes: [UInt8] = []
    FrameEncoder.appendClose(code, reason: reason, to: &bytes)
    return bytes
  }

  @Test func framesAreUnmaskedAndWhole() {
    var bytes: [UInt8] = []
    FrameEncoder.append(.text, Array("Hello".utf8), to: &bytes)
    FrameEncoder.append(.pong, [], to: &bytes)
    // RFC 6455, 5.7.
    #expect(bytes == [0x81, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F, 0x8A, 0x00])
  }

  @Test func closeFramesCarryCodeAndReason() {
    #expect(close(nil) == [0x88, 0x00])
    #expect(close(.goingAway) == [0x88, 0x02, 0x03, 0xE9])
    #expect(close(.normal, "ab") == [0x88, 0x04, 0x03, 0xE8, 0x61, 0x62])
  }

  @Test func aLongReasonIsCutBetweenCharacters() {
    let bytes = close(.normal, String(repeating: "€", count: 50))
    #expect(bytes[1] == 125)
    #expect(bytes.count == 127)
    #expect(close(.normal, String(repeating: "a", count: 122) + "€").count == 2 + 2 + 122)
  }
}
