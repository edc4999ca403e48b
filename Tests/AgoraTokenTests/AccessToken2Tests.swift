// Reading and making tokens against those of Agora's own libraries (R3, R4).

import Testing

@testable import AgoraToken

@Suite struct AccessToken2Tests {
  @Test func fixturesAreThere() {
    #expect(AgoraFixtures.shared.tokens.count == 9)
    #expect(AgoraFixtures.shared.built.count >= 7)
    #expect(AgoraFixtures.shared.mustReject.count == 1)
  }

  @Test(
    "R4.2 every encoding of every fixture is read",
    arguments: AgoraFixtures.shared.tokens + AgoraFixtures.shared.built)
  func reads(fixture: AgoraFixture) throws {
    for text in fixture.encodings {
      let signed = try SignedAccessToken2(text)
      #expect(signed.payload == fixture.payload)
      #expect(signed.token == fixture.token)
      #expect(signed.isSigned(with: fixture.certificate, appId: fixture.token.appId))
    }
  }

  @Test(
    "R3.1 made with app id and certificate, byte for byte as Agora makes it",
    arguments: AgoraFixtures.shared.tokens + AgoraFixtures.shared.built)
  func makes(fixture: AgoraFixture) throws {
    let text = try fixture.token.signed(with: fixture.certificate)
    #expect(text == fixture.text)
    #expect(try SignedAccessToken2(text).payload == fixture.payload)
  }

  @Test(
    "R3.3 token and privileges end together",
    arguments: AgoraFixtures.shared.built.filter {
      !$0.uid.isEmpty
        && $0.json["args"]?["tokenExpire"]?.intValue
          == $0.json["args"]?["privilegeExpire"]?.intValue
    })
  func makesRoles(fixture: AgoraFixture) throws {
    let role = try #require(RTCRole(rawValue: fixture.role))
    let token = AccessToken2.rtc(
      appId: fixture.token.appId, channel: fixture.channel, uid: try #require(UInt32(fixture.uid)),
      role: role, issuedAt: fixture.token.issuedAt, expireSeconds: fixture.token.expireSeconds,
      salt: fixture.token.salt)
    #expect(token == fixture.token)
    #expect(token.expiresAt == 1_114_711)
    #expect(
      token.rtc == RTCGrant(channel: fixture.channel, uid: fixture.uid, role: role))
  }

  @Test("R4.2 a role is read back from its privileges alone")
  func readsRoles() {
    func role(_ privileges: [UInt16]) -> RTCRole? {
      let service = AgoraService(
        .rtc(channel: "c", uid: "1"),
        privileges: Dictionary(uniqueKeysWithValues: privileges.map { ($0, 0) }))
      return Self.token(services: [service]).rtc?.role
    }
    #expect(role([1, 2, 3, 4]) == .publisher)
    #expect(role([1]) == .subscriber)
    #expect(role([1, 2]) == nil)
    #expect(role([2, 3, 4]) == nil)
    #expect(role([1, 2, 3, 4, 5]) == nil)
    #expect(role([]) == nil)
  }

  @Test func grantsOfOtherServices() {
    let rtc = AgoraService(.rtc(channel: "c", uid: "1"), privileges: [1: 0])
    let rtm = AgoraService(.rtm(userId: "u"), privileges: [1: 0])
    #expect(Self.token(services: []).rtc == nil)
    #expect(Self.token(services: [rtm]).rtc == nil)
    #expect(Self.token(services: [rtm, rtc]).rtc?.channel == "c")
    #expect(Self.token(services: [rtc, rtc]).rtc == nil)
  }

  @Test("R4.2 the signature tells our certificate and app id from others")
  func checksSignature() throws {
    let fixture = try #require(AgoraFixtures.shared.built.first)
    let signed = try SignedAccessToken2(fixture.text)
    let appId = fixture.token.appId
    #expect(signed.isSigned(with: fixture.certificate, appId: appId))
    #expect(!signed.isSigned(with: fixture.certificate.lowercased(), appId: appId))
    #expect(!signed.isSigned(with: appId, appId: appId))
    #expect(!signed.isSigned(with: "", appId: appId))
    #expect(!signed.isSigned(with: fixture.certificate, appId: fixture.certificate))
  }

  @Test("R3.5 what cannot be made is an error")
  func refusesToMake() {
    let certificate = String(repeating: "ab", count: 16)
    var token = Self.token(services: [])
    #expect(throws: AgoraTokenError.invalidAppCertificate) { try token.signed(with: "") }
    #expect(throws: AgoraTokenError.invalidAppCertificate) {
      try token.signed(with: String(repeating: "g", count: 32))
    }
    token.services = [
      AgoraService(
        .rtc(channel: String(repeating: "c", count: 65_536), uid: "1"), privileges: [:])
    ]
    #expect(throws: AgoraTokenError.valueTooLong) { try token.signed(with: certificate) }
    token.appId = "970CA35de60c44645bbae8a215061b3"
    #expect(throws: AgoraTokenError.invalidAppId) { try token.signed(with: certificate) }
  }

  @Test func saltsDiffer() throws {
    let certificate = String(repeating: "ab", count: 16)
    var token = Self.token(services: [])
    let first = try token.signed(with: certificate)
    token.salt += 1
    #expect(try token.signed(with: certificate) != first)
  }

  static func token(services: [AgoraService]) -> AccessToken2 {
    AccessToken2(
      appId: String(repeating: "0f", count: 16), issuedAt: 1_700_000_000, expireSeconds: 3600,
      salt: 7, services: services)
  }
}
