// Standard Webhooks 1.0 (contract §8.1), by the vector that its reference libraries test with.

import Crypto
import Testing

@Suite struct WebhookSignatureTests {
  private let reference = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
  private let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

  private func sign(_ secrets: [String]) throws -> String {
    WebhookSignature.signatures(
      id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestampSeconds: 1_614_265_330,
      body: Array("{\"test\": 2432232314}".utf8), secrets: try secrets.map { try WebhookSecret($0) }
    )
  }

  @Test("§8.1 the reference libraries' vector") func vector() throws {
    #expect(try sign([reference]) == expected)
  }

  @Test("§8.1 one signature for each secret, separated by spaces") func several() throws {
    let second = "whsec_" + Base64.encode([UInt8](0..<64))
    // python3: base64(hmac(bytes(range(64)), …, sha256))
    let both = try sign([reference, second]).split(separator: " ").map(String.init)
    #expect(both == [expected, "v1,LZ5zuwHTqQH3VM8ERUusjzVQq1FXzemvpR8Mk7Ivp5c="])
    #expect(
      try sign([second, reference]).split(separator: " ").map(String.init) == both.reversed())
  }

  @Test("§8.1 24 to 64 bytes", arguments: [(23, false), (24, true), (64, true), (65, false)])
  func lengths(count: Int, isTaken: Bool) {
    let text = "whsec_" + Base64.encode([UInt8](repeating: 7, count: count))
    if isTaken {
      #expect(throws: Never.self) { try WebhookSecret(text) }
    } else {
      #expect(throws: WebhookSecretError.length) { try WebhookSecret(text) }
    }
  }

  @Test(arguments: [
    ("", WebhookSecretError.noPrefix), ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", .noPrefix),
    ("WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", .noPrefix), ("whsec_", .length),
    ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", .notBase64),
    ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa_-", .notBase64),
    (" whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", .noPrefix),
  ])
  func refused(text: String, error: WebhookSecretError) {
    #expect(throws: error) { try WebhookSecret(text) }
  }

  @Test func aSecretIsNotPrinted() throws {
    let secret = try WebhookSecret(reference)
    for text in ["\(secret)", String(reflecting: secret), "\([secret])"] {
      #expect(!text.contains("MfKQ") && !text.contains("49"))
    }
  }
}
