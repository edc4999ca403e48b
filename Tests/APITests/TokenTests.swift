// Agora tokens through the API (R3, R4, contract §4, §7.5).

import AgoraToken
import Calls
import HTTP
import JSON
import MySQL
import Storage
import System
import TestServers
import Testing

@Suite(.needsServer, .database) struct TokenTests {
  private static let certificate = TestServer.worker(database: "")["AGORA_APP_CERTIFICATE"]!
  private static let appId = TestServer.worker(database: "")["AGORA_APP_ID"]!

  private let service: Service

  init() throws { service = try Service() }

  private func generate(_ user: String, _ members: String) -> Answer {
    service.ask(.post, "agora/token/generate", as: user, "{\(members)}")
  }

  private func refresh(_ user: String, _ channel: String, _ oldToken: String, _ more: String = "")
    -> Answer
  {
    service.ask(
      .post, "agora/token/refresh", as: user,
      "{\"channelId\": \"\(channel)\", \"oldToken\": \"\(oldToken)\"\(more)}")
  }

  private func parse(_ answer: Answer) throws -> SignedAccessToken2 {
    try SignedAccessToken2(try #require(answer.data["token"]?.stringValue))
  }

  @Test("R4.1 §7.5 an oldToken of any text is a fault of the request, and no failure of the server")
  func hostileOldTokens() throws {
    let pair = try service.pair()
    let call = try service.connect(pair)
    for text in [
      "é", "'; DROP TABLE token_audit; --", "😀😀😀😀😀", String(repeating: "x", count: 5000),
    ] {
      let answer = refresh(pair.caller, call.channelId, text)
      #expect(answer.status == 400)
      #expect(answer.code == "VALIDATION_ERROR")
      #expect(refresh("stranger", call.channelId, text).code == "NO_ACTIVE_CALL")
    }
  }

  @Test("R3.1 R3.2 a participant gets a token that says what the answer says")
  func generated() throws {
    let pair = try service.pair()
    let call = try service.ring(pair)
    for (user, role) in [(pair.caller, "publisher"), (pair.callee, "SUBSCRIBER")] {
      let before = Timestamp.now().seconds
      let answer = generate(
        user, "\"channelId\": \"\(call.channelId)\", \"role\": \"\(role)\"")
      #expect(answer.status == 200)
      let signed = try parse(answer)
      #expect(signed.isSigned(with: Self.certificate, appId: Self.appId))
      let grant = try #require(signed.token.rtc)
      #expect(grant.channel == call.channelId)
      #expect(answer.data["channelId"]?.stringValue == call.channelId)
      #expect(answer.data["uid"] == .int(Int64(AgoraUID.uid(of: user))))
      #expect(grant.uid == String(AgoraUID.uid(of: user)))
      #expect(grant.role?.rawValue == role.lowercased())
      #expect(answer.data["role"]?.stringValue == role.lowercased())
      #expect(signed.token.expireSeconds == 3600)
      #expect(signed.token.services.allSatisfy { $0.privileges.values.allSatisfy { $0 == 3600 } })
      let expiresAt = try #require(
        answer.data["expiresAt"]?.stringValue.flatMap { Timestamp(iso8601: $0) })
      #expect(expiresAt.seconds == Int64(signed.token.issuedAt) + 3600)
      #expect((before...Timestamp.now().seconds).contains(Int64(signed.token.issuedAt)))
    }
  }

  @Test("R3.3 60 to 86400 seconds, never clamped in silence")
  func expiration() throws {
    let pair = try service.pair()
    let channel = try service.ring(pair).channelId
    for seconds in ["60", "86400", "600.0"] {
      let answer = generate(
        pair.caller, "\"channelId\": \"\(channel)\", \"expirationSeconds\": \(seconds)")
      #expect(try parse(answer).token.expireSeconds == UInt32(Double(seconds)!))
    }
    for seconds in ["59", "86401", "0", "-60", "60.5", "\"60\"", "true", "1e30"] {
      let answer = generate(
        pair.caller, "\"channelId\": \"\(channel)\", \"expirationSeconds\": \(seconds)")
      #expect(answer.faults == ["expirationSeconds": "INVALID_EXPIRATION"], "\(seconds)")
    }
    let all = generate(
      pair.caller, "\"channelId\": \"*\", \"role\": \"host\", \"expirationSeconds\": 1")
    #expect(
      all.faults == [
        "channelId": "INVALID_CHANNEL_ID", "role": "INVALID_ROLE",
        "expirationSeconds": "INVALID_EXPIRATION",
      ])
  }

  @Test("R3 R9.2 a live call on that channel, and a part in it: else 403")
  func participation() throws {
    let pair = try service.pair()
    let call = try service.ring(pair)
    let members = "\"channelId\": \"\(call.channelId)\""
    #expect(generate("stranger", members).code == "UNAUTHORIZED_ACCESS")
    #expect(generate(pair.caller, "\"channelId\": \"elsewhere\"").code == "UNAUTHORIZED_ACCESS")
    let other = members + ", \"userId\": \"\(pair.callee)\""
    #expect(generate(pair.caller, other).code == "UNAUTHORIZED_ACCESS")
    _ = try service.calls.end(call.id, by: pair.caller, reason: .hangup, from: Origin())
    #expect(generate(pair.caller, members).code == "UNAUTHORIZED_ACCESS")
    let late = try service.ring(pair)
    try service.connection.execute(
      "UPDATE calls SET expires_at = UTC_TIMESTAMP(3) - INTERVAL 1 SECOND WHERE id = ?",
      [.text(late.id)])
    #expect(
      generate(pair.caller, "\"channelId\": \"\(late.channelId)\"").code == "UNAUTHORIZED_ACCESS")
  }

  @Test("§4 TOKEN_CHANNELS=any: channels of no call, but never somebody else's")
  func anyChannel() throws {
    let any = try Service(environment: ["TOKEN_CHANNELS": "any"])
    let pair = try any.pair()
    let call = try any.ring(pair)
    func ask(_ user: String, _ channel: String) -> Answer {
      any.ask(.post, "agora/token/generate", as: user, "{\"channelId\": \"\(channel)\"}")
    }
    #expect(ask("stranger", "lobby").status == 200)
    #expect(ask("stranger", call.channelId).code == "UNAUTHORIZED_ACCESS")
    #expect(ask(pair.caller, call.channelId).status == 200)
    #expect(ask("stranger", "").faults == ["channelId": "INVALID_CHANNEL_ID"])
  }

  @Test("R3.2 where both hash alike, the tokens of a call have two uids")
  func collision() throws {
    let pair = (caller: "user-20491", callee: "user-32057")
    for id in [pair.caller, pair.callee] {
      try service.people.add(Person(id: id, username: id, fullName: nil, avatar: nil))
    }
    try service.people.setContact(of: pair.caller, to: pair.callee, .accepted)
    let call = try service.connect(pair)
    let uids = [pair.caller, pair.callee].compactMap {
      generate($0, "\"channelId\": \"\(call.channelId)\"").data["uid"]?.intValue
    }
    #expect(uids == [3_648_509_082, 3_648_509_083])
    let token = generate(pair.callee, "\"channelId\": \"\(call.channelId)\"").data["token"]
    let answer = refresh(pair.callee, call.channelId, token?.stringValue ?? "")
    #expect(answer.data["uid"]?.intValue == uids[1])
  }

  @Test("R3.4 R4.4 one audit row per token, with no more than a prefix of the old one")
  func audit() throws {
    let pair = try service.pair()
    let call = try service.connect(pair)
    let first = generate(
      pair.caller, "\"channelId\": \"\(call.channelId)\", \"role\": \"subscriber\"")
    let token = try #require(first.data["token"]?.stringValue)
    let second = refresh(pair.caller, call.channelId, token)
    #expect(second.status == 200)
    _ = refresh(pair.caller, call.channelId, "007nonsense")
    let rows = try service.connection.query(
      """
      SELECT action, call_id, channel_id, role, uid, old_token_prefix, request_id,
        TIMESTAMPDIFF(SECOND, issued_at, expires_at) FROM token_audit WHERE user_id = ? ORDER BY id
      """, [.text(pair.caller)])
    #expect(rows.map { $0.text(0) } == ["generate", "refresh"])
    for row in rows {
      #expect(row.text(1) == call.id)
      #expect(row.text(2) == call.channelId)
      #expect(row.text(3) == "subscriber")
      #expect(row.int(4) == first.data["uid"]?.intValue)
      #expect(row.text(6) == "request-1")
      #expect(row.int(7) == 3600)
    }
    #expect(rows[0].isNull(5))
    let prefix = rows[1].text(5)
    #expect((1...16).contains(prefix.count))
    #expect(token.hasPrefix(prefix))
    #expect(!service.logFile.text.contains(token.prefix(20)))
  }

  @Test("R4.1 R4.3 a refresh needs an accepted call on the channel: else NO_ACTIVE_CALL")
  func refreshNeedsACall() throws {
    let pair = try service.pair()
    let call = try service.ring(pair)
    let token = try #require(
      generate(pair.caller, "\"channelId\": \"\(call.channelId)\"").data["token"]?.stringValue)
    func code() -> String? { refresh(pair.caller, call.channelId, token).code }
    #expect(code() == "NO_ACTIVE_CALL")
    _ = try service.calls.accept(call.id, by: pair.callee, from: Origin())
    #expect(code() == nil)
    #expect(refresh("stranger", call.channelId, token).code == "NO_ACTIVE_CALL")
    #expect(refresh(pair.caller, "elsewhere", token).code == "NO_ACTIVE_CALL")
    _ = try service.calls.update(call.id, to: .connected, by: pair.caller, from: Origin())
    #expect(code() == nil)
    _ = try service.calls.end(call.id, by: pair.caller, reason: .hangup, from: Origin())
    #expect(code() == "NO_ACTIVE_CALL")
  }

  @Test("R4.2 §7.5 the role is the old token's, which must be ours, of this channel and this user")
  func oldToken() throws {
    let pair = try service.pair()
    let call = try service.connect(pair)
    let uid = AgoraUID.uid(of: pair.caller)
    func token(
      _ channel: String? = nil, uid other: UInt32? = nil, role: RTCRole = .subscriber,
      issuedAt: Int64 = Timestamp.now().seconds, certificate: String = Self.certificate,
      appId: String = Self.appId
    ) throws -> String {
      try AccessToken2.rtc(
        appId: appId, channel: channel ?? call.channelId, uid: other ?? uid, role: role,
        issuedAt: UInt32(issuedAt), expireSeconds: 60, salt: 1
      ).signed(with: certificate)
    }
    for role in RTCRole.allCases {
      let answer = refresh(
        pair.caller, call.channelId, try token(role: role), ", \"role\": \"nonsense\"")
      #expect(answer.data["role"]?.stringValue == role.rawValue)
      #expect(try parse(answer).token.rtc?.role == role)
      #expect(try parse(answer).token.expireSeconds == 3600)
    }
    let expired = refresh(pair.caller, call.channelId, try token(issuedAt: 1_000_000_000))
    #expect(expired.status == 200)
    let foreign = String(repeating: "0", count: 32)
    for bad in [
      try token("elsewhere"), try token(uid: uid ^ 1), try token(uid: 0),
      try token(certificate: foreign), try token(appId: foreign), "007", "nonsense",
      try token() + "A", String(try token().dropLast(4)), "006" + (try token().dropFirst(3)),
    ] {
      #expect(
        refresh(pair.caller, call.channelId, bad).faults == ["oldToken": "INVALID_TOKEN"])
    }
    let empty = service.ask(.post, "agora/token/refresh", as: pair.caller, "{}")
    #expect(empty.faults == ["channelId": "REQUIRED", "oldToken": "REQUIRED"])
  }
}
