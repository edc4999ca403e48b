import Testing

@testable import Calls

@Suite struct AgoraUIDTests {
  @Test(
    "R3.2 a decimal user id of 1…2³¹−1 is its own uid",
    arguments: [("1", 1), ("12", 12), ("2147483647", 2_147_483_647)])
  func numeric(text: String, uid: Int) { #expect(AgoraUID.uid(of: text) == UInt32(uid)) }

  @Test(
    "R3.2 any other is hashed into 2³¹…2³²−1",
    arguments: [
      "0", "012", "-1", "+1", "1.0", " 1", "2147483648", "99999999999999999999", "alice", "１２",
      "12abc", "",
    ])
  func hashed(text: String) {
    #expect(AgoraUID.uid(of: text) >= 0x8000_0000)
    #expect(AgoraUID.uid(of: text) == AgoraUID.uid(of: text))
  }

  @Test("R3.2 the hash is the first 32 bits of SHA-256, its top bit set: stable for ever")
  func hash() {
    // printf alice | sha256sum
    #expect(AgoraUID.uid(of: "alice") == 0x2BD8_06C9 | 0x8000_0000 as UInt32)
    #expect(AgoraUID.uid(of: "user-20491") == 3_648_509_082)
  }

  // Two that hash alike, found by trying.
  private let first = "user-20491"
  private let second = "user-32057"

  @Test("R3.2 where both hash alike, the callee takes the next number")
  func collision() {
    #expect(AgoraUID.uid(of: first) == AgoraUID.uid(of: second))
    for (caller, callee) in [(first, second), (second, first)] {
      let own = AgoraUID.uid(of: caller)
      #expect(AgoraUID.uid(of: caller, callerId: caller, calleeId: callee) == own)
      #expect(AgoraUID.uid(of: callee, callerId: caller, calleeId: callee) == own + 1)
    }
  }

  @Test("R3.2 in a call without a collision everybody has their own")
  func noCollision() {
    for user in ["alice", first, "12"] {
      #expect(
        AgoraUID.uid(of: user, callerId: user, calleeId: "bob") == AgoraUID.uid(of: user))
      #expect(
        AgoraUID.uid(of: user, callerId: "bob", calleeId: user) == AgoraUID.uid(of: user))
    }
  }
}
