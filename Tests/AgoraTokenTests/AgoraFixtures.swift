// agora-007.json: tokens that Agora's own libraries made, and what went into them. Reading a bundle
// takes Foundation; the product does without.

import Crypto
import Foundation
import JSON
import Testing

@testable import AgoraToken

struct AgoraFixtures {
  /// Services and the payload; with `encodings`, the same payload as several libraries deflate it.
  let tokens: [AgoraFixture]
  /// Calls of Agora's `RtcTokenBuilder2`.
  let built: [AgoraFixture]
  let mustReject: [String]

  static let shared = AgoraFixtures()

  private init() {
    let root = Self.load()
    tokens = (root["fixtures"]?.arrayValue ?? []).map(AgoraFixture.init)
    built = (root["built_by_reference"]?.arrayValue ?? []).map(AgoraFixture.init)
    mustReject = (root["must_reject"]?.arrayValue ?? []).compactMap { $0["token"]?.stringValue }
  }

  private static func load() -> JSONValue {
    guard let url = Bundle.module.url(forResource: "agora-007", withExtension: "json"),
      let data = try? Data(contentsOf: url), let root = try? JSONParser.parse([UInt8](data))
    else {
      return .null
    }
    return root
  }
}

struct AgoraFixture: CustomTestStringConvertible {
  let json: JSONValue

  var testDescription: String {
    json["id"]?.stringValue ?? "\(json["call"]?.stringValue ?? "") \(uid) \(role)"
  }

  var text: String { json["token_classic_zlib6"]?.stringValue ?? "" }
  var encodings: [String] {
    (json["encodings"]?.arrayValue ?? []).compactMap(\.stringValue) + [text]
  }
  var payload: [UInt8] { Self.bytes(hex: json["payload_hex"]?.stringValue ?? "") }
  var certificate: String { argument("appCertificate")?.stringValue ?? "" }
  var channel: String { argument("channel")?.stringValue ?? "" }
  var uid: String { argument("uid")?.intValue.map { String($0) } ?? "" }
  var role: String { argument("role")?.stringValue ?? "" }

  /// What the fixture says went into the token.
  var token: AccessToken2 {
    AccessToken2(
      appId: argument("appId")?.stringValue ?? "", issuedAt: number("issueTs"),
      expireSeconds: UInt32((json["expire"] ?? argument("tokenExpire"))?.intValue ?? 0),
      salt: number("salt"),
      services: (json["services"]?.arrayValue ?? []).compactMap(Self.service))
  }

  private func argument(_ name: String) -> JSONValue? { json["args"]?[name] ?? json[name] }
  private func number(_ name: String) -> UInt32 { UInt32(json[name]?.intValue ?? 0) }

  private static func service(_ json: JSONValue) -> AgoraService? {
    func text(_ name: String) -> String { json[name]?.stringValue ?? "" }
    let content: AgoraService.Content
    switch json["type"]?.intValue {
    case 1: content = .rtc(channel: text("channel"), uid: text("uid"))
    case 2: content = .rtm(userId: text("user_id"))
    case 3: content = .streaming(channel: text("channel"), uid: text("uid"))
    case 4: content = .fpa
    case 5: content = .chat(userId: text("user_id"))
    case 6: content = .cdn(channel: text("channel"), uid: text("uid"))
    case 7:
      content = .education(
        room: text("room"), user: text("user"), role: Int16(json["role"]?.intValue ?? 0))
    case 8:
      content = .rtm2(
        userId: text("user_id"),
        permissions: numbered(json["permissions"]) { resources in
          numbered(resources) { ($0.arrayValue ?? []).compactMap(\.stringValue) }
        })
    default: return nil
    }
    return AgoraService(
      content, privileges: numbered(json["privileges"]) { UInt32($0.intValue ?? 0) })
  }

  private static func numbered<Value>(
    _ json: JSONValue?, _ value: (JSONValue) -> Value
  ) -> [UInt16: Value] {
    var entries: [UInt16: Value] = [:]
    for (key, member) in json?.objectValue ?? [:] { entries[UInt16(key) ?? 0] = value(member) }
    return entries
  }

  private static func bytes(hex: String) -> [UInt8] {
    let digits = hex.compactMap { $0.hexDigitValue.map(UInt8.init) }
    return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }
}
