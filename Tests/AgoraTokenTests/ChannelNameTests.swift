// Agora's alphabet of 89 characters, and its length.

import AgoraToken
import Testing

@Suite struct ChannelNameTests {
  @Test("contract §4: 1–63 bytes of Agora's channel alphabet")
  func alphabet() {
    let allowed = (0...127).filter {
      ChannelName.isValid(String(Character(Unicode.Scalar(UInt8($0)))))
    }
    #expect(allowed.count == 89)
    #expect(ChannelName.isValid("call_01-AZ az!#$%&()+:;<=.>?@[]^{}|~,"))
  }

  @Test(arguments: [
    "", "*", "a*", "a/b", "a\\b", "a'b", "a\"b", "a`b", "é", "a\n", "a\0", "\u{7f}",
  ])
  func refuses(name: String) {
    #expect(!ChannelName.isValid(name))
  }

  @Test func length() {
    #expect(ChannelName.isValid("a"))
    #expect(ChannelName.isValid(String(repeating: "a", count: 63)))
    #expect(!ChannelName.isValid(String(repeating: "a", count: 64)))
  }
}
