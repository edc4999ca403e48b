// Texts that are no tokens, or were one: refused in bounded time and memory, and never believed.

import Crypto
import Testing

@testable import AgoraToken

@Suite struct HostileTokenTests {
  private static let certificate = "5CFd2fd1755d40ecb72977518be15d3b"
  private static let appId = "970CA35de60c44645bbae8a215061b33"

  private func error(_ text: String) -> AgoraTokenError? {
    do throws(AgoraTokenError) {
      _ = try SignedAccessToken2(text)
      return nil
    } catch {
      return error
    }
  }

  /// A text with that payload, whatever it holds.
  private func text(payload: [UInt8]) throws -> String {
    "007" + Base64.encode(try Deflate.compress(payload))
  }

  /// Signature, app id, issue time, life time and salt: what stands before the services.
  private var head: [UInt8] {
    get throws {
      Array(try #require(AgoraFixtures.shared.tokens.first).payload.prefix(34 + 34 + 12))
    }
  }

  @Test("R4.2 Agora's own bad token", arguments: AgoraFixtures.shared.mustReject)
  func refusesTruncatedStream(text: String) {
    #expect(error(text) == .invalidDeflate)
  }

  @Test(arguments: [
    ("", AgoraTokenError.unknownVersion), ("007", .invalidDeflate), ("00", .unknownVersion),
    ("006eJx", .unknownVersion), ("007!", .invalidBase64), ("007eJxTYA", .invalidBase64),
    ("007====", .invalidBase64), ("007AAAA", .invalidDeflate), ("007é", .invalidBase64),
    (String(repeating: "0", count: 8193), .tooLong),
    ("007" + String(repeating: "A", count: 8188), .invalidDeflate),
  ])
  func refusesGarbage(text: String, expected: AgoraTokenError) {
    #expect(error(text) == expected)
  }

  @Test("R4.2 every truncation of every fixture", arguments: AgoraFixtures.shared.tokens)
  func refusesTruncatedTexts(fixture: AgoraFixture) {
    for length in 0..<fixture.text.count {
      #expect(error(String(fixture.text.prefix(length))) != nil)
    }
  }

  @Test("R4.2 every truncation of every payload", arguments: AgoraFixtures.shared.tokens)
  func refusesTruncatedPayloads(fixture: AgoraFixture) throws {
    for length in fixture.payload.indices {
      let text = try text(payload: Array(fixture.payload.prefix(length)))
      #expect(error(text) != nil)
    }
  }

  @Test(arguments: AgoraFixtures.shared.tokens)
  func refusesTrailingBytes(fixture: AgoraFixture) throws {
    #expect(error(try text(payload: fixture.payload + [0])) == .trailingBytes)
    let compressed = try Deflate.compress(fixture.payload)
    #expect(error("007" + Base64.encode(compressed + [0])) == .invalidDeflate)
    #expect(error("007" + Base64.encode(compressed + compressed)) == .invalidDeflate)
  }

  @Test("R4.2 no payload with a bit flipped is believed", arguments: AgoraFixtures.shared.tokens)
  func flipsPayloadBits(fixture: AgoraFixture) throws {
    for index in fixture.payload.indices {
      for bit in 0..<8 {
        var payload = fixture.payload
        payload[index] ^= 1 << UInt8(bit)
        guard let signed = try? SignedAccessToken2(try text(payload: payload)) else { continue }
        #expect(!signed.isSigned(with: Self.certificate, appId: Self.appId))
      }
    }
  }

  @Test("R4.2 no text with a bit flipped is another token", arguments: AgoraFixtures.shared.tokens)
  func flipsTextBits(fixture: AgoraFixture) throws {
    let bytes = Array(fixture.text.utf8)
    for index in bytes.indices {
      for bit in 0..<7 {
        var altered = bytes
        altered[index] ^= 1 << UInt8(bit)
        let text = String(decoding: altered, as: UTF8.self)
        guard let signed = try? SignedAccessToken2(text) else { continue }
        #expect(
          signed.payload == fixture.payload
            || !signed.isSigned(with: Self.certificate, appId: Self.appId))
      }
    }
  }

  @Test func boundsInflation() throws {
    let bomb = "007" + Base64.encode(try Deflate.compress([UInt8](repeating: 0, count: 4 << 20)))
    #expect(bomb.utf8.count <= SignedAccessToken2.maximumTextLength)
    #expect(error(bomb) == .invalidDeflate)
    let limit = SignedAccessToken2.maximumPayloadLength
    #expect(error(try text(payload: [UInt8](repeating: 0, count: limit))) != .invalidDeflate)
    #expect(error(try text(payload: [UInt8](repeating: 0, count: limit + 1))) == .invalidDeflate)
  }

  @Test func countsWithoutContentSetNothingAside() throws {
    let head = try head
    // 65,535 services; then one with 65,535 privileges; then RTM2 with 65,535 permissions.
    #expect(error(try text(payload: head + [0xFF, 0xFF])) == .truncated)
    #expect(error(try text(payload: head + [1, 0, 1, 0, 0xFF, 0xFF, 1, 0])) == .truncated)
    #expect(
      error(try text(payload: head + [1, 0, 8, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0, 0xFF, 0xFF]))
        == .truncated)
    #expect(error(try text(payload: head + [1, 0, 2, 0, 0, 0, 0xFF, 0xFF])) == .truncated)
  }

  @Test func keepsUnknownServices() throws {
    let head = try head
    let payload = head + [3, 0, 4, 0, 0, 0, 99, 0, 1, 0, 2, 0, 5, 0, 0, 0, 0xAA, 0xBB]
    let services = try SignedAccessToken2(try text(payload: payload)).token.services
    #expect(
      services == [
        AgoraService(.fpa, privileges: [:]),
        AgoraService(.unknown(type: 99, bytes: [0xAA, 0xBB]), privileges: [2: 5]),
      ])
    #expect(services.last?.type == 99)
  }

  @Test func refusesInvalidText() throws {
    let head = try head
    #expect(
      error(try text(payload: head + [1, 0, 2, 0, 0, 0, 2, 0, 0xC3, 0x28])) == .invalidText)
  }

  @Test func refusesShortSignatures() throws {
    let payload = Array(try #require(AgoraFixtures.shared.tokens.first).payload.dropFirst(34))
    #expect(error(try text(payload: [0, 0] + payload)) == .invalidSignatureLength)
    #expect(error(try text(payload: [1, 0, 7] + payload)) == .invalidSignatureLength)
  }

  /// The same bytes in every run: xorshift64 from a fixed seed.
  @Test func survivesRandomBytes() throws {
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    func random() -> UInt64 {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return state
    }
    for _ in 0..<5000 {
      let bytes = (0..<Int(random() % 300)).map { _ in UInt8(truncatingIfNeeded: random()) }
      #expect(error("007" + Base64.encode(bytes)) != nil)
      let payload = [32, 0] + [UInt8](repeating: 1, count: 32) + bytes
      if let signed = try? SignedAccessToken2(try text(payload: payload)) {
        #expect(!signed.isSigned(with: Self.certificate, appId: Self.appId))
      }
    }
  }
}
