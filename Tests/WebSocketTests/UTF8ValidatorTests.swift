import Testing
import WebSocket

@Suite struct UTF8ValidatorTests {
  /// Whether all bytes were taken, and whether the text could end behind them.
  private func isText(_ bytes: [UInt8], by size: Int = .max) -> Bool {
    var validator = UTF8Validator()
    var position = 0
    while position < bytes.count {
      let end = position + min(size, bytes.count - position)
      guard validator.accept(bytes.span.extracting(position..<end)) else { return false }
      position = end
    }
    return validator.isComplete
  }

  @Test(arguments: UTF8Vectors.valid)
  func validTextIsTaken(bytes: [UInt8]) {
    for size in [1, 2, 3, 7, .max] { #expect(isText(bytes, by: size)) }
  }

  @Test(arguments: UTF8Vectors.invalid)
  func invalidTextIsRefused(bytes: [UInt8]) {
    for size in [1, 2, 3, 7, .max] { #expect(!isText(bytes, by: size)) }
  }

  @Test func theStandardLibraryAgrees() {
    for value in stride(from: UInt32(0), through: 0x10FFFF, by: 61) {
      guard let scalar = Unicode.Scalar(value) else { continue }
      #expect(isText(Array(String(scalar).utf8)))
    }
    let tails: [[UInt8]] = [[], [0x7F], [0x80], [0xBF], [0xC0], [0x80, 0x80]]
    for first in UInt8(0xBF)...0xF8 {
      for second in UInt8(0x7E)...0xC1 {
        for tail in tails {
          let bytes = [first, second] + tail
          #expect(isText(bytes) == (String(validating: bytes, as: UTF8.self) != nil))
        }
      }
    }
  }

  /// The byte that makes the text invalid is itself refused, not one behind it.
  @Test(
    arguments: [
      [0x65, 0x64, 0xED, 0xA0], [0xF4, 0x90], [0xC0], [0xE0, 0x80], [0xF5], [0xF0, 0x8F],
      [0x61, 0x80], [0xC2, 0x41], [0xE1, 0x80, 0xC0],
    ] as [[UInt8]])
  func refusalIsImmediate(bytes: [UInt8]) {
    var validator = UTF8Validator()
    let before = validator.accept(bytes.span.extracting(0..<bytes.count - 1))
    let last = validator.accept(bytes.span.extracting(bytes.count - 1..<bytes.count))
    #expect(before && !last)
  }
}
