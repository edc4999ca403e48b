import Testing
import WebSocket

@Suite struct MaskingTests {
  private let key: [UInt8] = [0x12, 0x00, 0xFF, 0x9A]

  /// By the definition of RFC 6455, 5.3.
  private func expected(_ bytes: [UInt8], _ range: Range<Int>, offset: Int) -> [UInt8] {
    var bytes = bytes
    for index in range { bytes[index] ^= key[(index - range.lowerBound + offset) % 4] }
    return bytes
  }

  @Test(arguments: 0..<40)
  func everyLengthAndOffsetMatchesTheDefinition(length: Int) {
    let bytes = (0..<64).map { UInt8($0 * 37 & 0xFF) }
    for offset in 0..<9 {
      for start in 0..<9 {
        let range = start..<start + length
        var result = bytes
        var span = result.mutableSpan
        Masking.unmask(&span, range, key: 0x9AFF_0012, offset: offset)
        #expect(result == expected(bytes, range, offset: offset))
      }
    }
  }
}
