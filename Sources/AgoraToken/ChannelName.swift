// Names of channels, as Agora's SDKs take them (docs.agora.io, `joinChannel`: "less than 64 bytes",
// 89 characters).

package enum ChannelName {
  /// In bytes.
  package static let maximumLength = 63

  /// Whether the text names one channel. Agora's wildcards are refused with the rest: the empty name
  /// by its length, `*` because the alphabet lacks it.
  package static func isValid(_ text: String) -> Bool {
    (1...maximumLength).contains(text.utf8.count) && text.utf8.allSatisfy(isAllowed)
  }

  private static func isAllowed(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default:
      " !#$%&()+-:;<=.>?@[]^_{}|~,".utf8.contains(byte)
    }
  }
}
