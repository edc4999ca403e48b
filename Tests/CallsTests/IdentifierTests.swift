import System
import Testing

@testable import Calls

@Suite struct IdentifierTests {
  @Test(
    "§1 a user id is 1–64 characters",
    arguments: [
      "a", "0", "12", "alice@example.com", "Ω", "😀", "a b", String(repeating: "x", count: 64),
      String(repeating: "😀", count: 64), "auth0|5f7c8ec7c33c6c004bbafe82", " a", "a\u{A0}",
    ])
  func validUserIds(text: String) { #expect(UserID.isValid(text)) }

  @Test(
    "§1 and nothing else",
    arguments: [
      "", " ", "a ", "\ta", "a\n", "a\u{0}b", "a\u{7F}",
      String(repeating: "x", count: 65), String(repeating: "😀", count: 65),
    ])
  func invalidUserIds(text: String) { #expect(!UserID.isValid(text)) }

  @Test("§7.6 a device id is 1–128 characters")
  func deviceIds() {
    for text in ["a", " ", "Bob's phone 📱", String(repeating: "😀", count: 128)] {
      #expect(DeviceID.isValid(text))
    }
    for text in ["", "a\n", "\u{0}", "\u{7F}", String(repeating: "x", count: 129)] {
      #expect(!DeviceID.isValid(text))
    }
  }

  @Test("R1.2 a call id is a UUID version 7 of its moment")
  func callIdLayout() throws {
    let zeros = Randomness { [UInt8](repeating: 0, count: $0) }
    let ones = Randomness { [UInt8](repeating: 0xFF, count: $0) }
    // The example of RFC 9562, appendix A.6: 2022-02-22T19:22:22.000Z.
    let moment = Timestamp(milliseconds: 0x017F_22E2_79B0)
    #expect(
      CallID.make(now: moment, randomness: zeros) == "017f22e2-79b0-7000-8000-000000000000")
    #expect(
      CallID.make(now: moment, randomness: ones) == "017f22e2-79b0-7fff-bfff-ffffffffffff")
    for _ in 0..<1000 {
      let id = Array(CallID.make(now: .now(), randomness: .system))
      #expect(id.count == 36)
      #expect(id[14] == "7")
      #expect("89ab".contains(id[19]))
      #expect(CallID.isWellFormed(String(id)))
    }
  }

  @Test("R1.2 ids are unique and sort by time")
  func unique() {
    let now = Timestamp.now()
    let ids = (0..<20_000).map { _ in CallID.make(now: now, randomness: .system) }
    #expect(Set(ids).count == ids.count)
    let channels = (0..<20_000).map { _ in ChannelID.make(randomness: .system) }
    #expect(Set(channels).count == channels.count)
    let later = CallID.make(now: Timestamp(milliseconds: now.milliseconds + 1), randomness: .system)
    #expect(ids.allSatisfy { $0 < later })
  }

  @Test("R1.2 a channel id is of Agora's alphabet and at most 63 bytes")
  func channelId() {
    let id = ChannelID.make(randomness: .system)
    #expect(id.utf8.count == 32)
    #expect(id.allSatisfy { $0.isHexDigit && !$0.isUppercase })
  }

  @Test func keysOfUsersAreEqualByteForByte() {
    let ids = ["caf\u{e9}", "cafe\u{301}", "K", "\u{212a}", "cafe", ""]
    #expect(Set(ids.map(UserKey.init)).count == ids.count)
    for id in ids { #expect(Set(ids.map(UserKey.init)).contains(UserKey(id))) }
  }

  @Test(
    "what cannot be a call id is not looked up",
    arguments: [
      "", "active", "018f3f5e-0000-7000-8000-00000000000", "018f3f5e-0000-7000-8000-0000000000011",
      "018f3f5e 0000-7000-8000-000000000001", "018g3f5e-0000-7000-8000-000000000001",
      "018f3f5e-0000-7000-8000-00000000000Ω", "018f3f5e0000-7000-8000-0000-00000001",
      "018f3f5e-0000-7000-8000-00000000000@",
    ])
  func malformedCallIds(text: String) { #expect(!CallID.isWellFormed(text)) }

  @Test func callIdsAreReadInEitherCase() {
    #expect(CallID.isWellFormed("018F3F5E-ABCD-7000-8000-00000000000F"))
    #expect(CallID.isWellFormed("018f3f5e-abcd-7000-8000-00000000000f"))
  }
}
