// `Agora-Signature-V2` (contract §9.1), by the example of Agora's documentation ("Add signature verification").

import Testing

@testable import AgoraNotice

@Suite struct AgoraNoticeSignatureTests {
  private static let body = Array(
    #"""
    {"eventMs":1560408533119,"eventType":10,"noticeId":"4eb720f0-8da7-11e9-a43e-53f411c2761f","notifyMs":1560408533119,"payload":{"a":"1","b":2},"productId":1}
    """#.utf8)
  private static let documented =
    "6d3320c60b11101395b7fc8f9068748808a0aa1bfa064438e39d1bc2c7d74d99"

  private let signature = AgoraNoticeSignature(secrets: [Array("secret".utf8)])

  @Test("§9.1 Agora's own example, in either case")
  func documented() {
    #expect(signature.isValid(Self.documented, of: Self.body))
    #expect(signature.isValid(Self.documented.uppercased(), of: Self.body))
    #expect(throws: Never.self) { try AgoraNotice(Self.body) }
  }

  @Test("§9.1 another body, another secret, another text: not signed")
  func others() {
    #expect(!signature.isValid(nil, of: Self.body))
    #expect(!signature.isValid(Self.documented, of: Self.body + [0x20]))
    let other = AgoraNoticeSignature(secrets: [Array("Secret".utf8)])
    #expect(!other.isValid(Self.documented, of: Self.body))
    let wrong = [
      "", "6d", String(Self.documented.dropLast()), Self.documented + "0", Self.documented + "00",
      " " + Self.documented, String(repeating: "g", count: 64), "0x" + Self.documented.dropLast(2),
      "7" + Self.documented.dropFirst(), Self.documented.dropLast() + "8",
      // Agora's first signature, HMAC-SHA1.
      "033c62f40f687675f17f0f41f91a40c71c0f134c",
    ]
    for text in wrong { #expect(!signature.isValid(text, of: Self.body), "\(text)") }
  }

  @Test("§9.1 while a secret is replaced, either will do; without one nothing will")
  func several() {
    let both = AgoraNoticeSignature(secrets: [Array("new".utf8), Array("secret".utf8)])
    #expect(both.isValid(Self.documented, of: Self.body))
    #expect(both.isConfigured)
    let none = AgoraNoticeSignature(secrets: [])
    #expect(!none.isConfigured)
    #expect(!none.isValid(Self.documented, of: Self.body))
    // HMAC with an empty key.
    #expect(!none.isValid(String(repeating: "0", count: 64), of: []))
  }
}
