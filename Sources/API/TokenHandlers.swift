// Agora tokens that fit one call and one user (R3, R4).

import AgoraToken
import Calls
import JSON
import Storage
import System

package struct TokenSettings: Sendable {
  package var appId: String
  package var appCertificate: String
  /// Used where a request does not say, and for refreshed tokens; 60…86400.
  package var expirationSeconds: Int
  /// Tokens are given for channels that belong to no call as well (TOKEN_CHANNELS=any).
  package var allowsAnyChannel: Bool

  package init(
    appId: String, appCertificate: String, expirationSeconds: Int, allowsAnyChannel: Bool
  ) {
    (self.appId, self.appCertificate) = (appId, appCertificate)
    (self.expirationSeconds, self.allowsAnyChannel) = (expirationSeconds, allowsAnyChannel)
  }
}

struct TokenHandlers {
  let audit: TokenAudit
  let settings: TokenSettings
  let randomness: Randomness
  let now: @Sendable () -> Timestamp

  static let secondsRange: ClosedRange<Int64> = 60...86_400

  func generate(_ context: Context) throws -> Reply {
    var fields = context.fields()
    let channelId = fields.channelId()
    let role = fields.word("role", .invalidRole, among: RTCRole.self)
    let seconds = fields.wholeNumber(
      "expirationSeconds", .invalidExpiration, in: Self.secondsRange)
    try fields.check()
    let request = Request(
      action: .generate, userId: context.userId, channelId: channelId,
      seconds: seconds ?? settings.expirationSeconds, oldToken: nil,
      requestId: context.requestId)
    // A wildcard installation gives tokens for calls that are over as well (TOKEN_CHANNELS=any).
    let any = settings.allowsAnyChannel
    let condition = TokenAudit.Condition(
      statuses: CallStatus.allCases.filter { any || !$0.isTerminal }, allowsExpired: any)
    let entry = self.entry(request, role: role ?? .publisher)
    let outcome = try audit.append(entry, where: condition)
    guard let call = outcome.call else {
      guard any else { throw Self.notParticipating }
      let uid = AgoraUID.uid(of: context.userId)
      try audit.append(entry, callId: nil, uid: uid)
      return try token(request, role: role ?? .publisher, uid: uid, entry)
    }
    let isOver = call.status.isTerminal || call.isExpired(at: outcome.now)
    guard call.isParticipant(context.userId), any || !isOver else { throw Self.notParticipating }
    return try issue(request, role: role ?? .publisher, call, outcome, entry)
  }

  private static let notParticipating = CallError.unauthorizedAccess(
    "You take no part in a live call on this channel.")

  func refresh(_ context: Context) throws -> Reply {
    var fields = context.fields()
    let channelId = fields.channelId()
    let oldToken = fields.requiredText("oldToken", .invalidToken, "an Agora token") { !$0.isEmpty }
    try fields.check()
    let request = Request(
      action: .refresh, userId: context.userId, channelId: channelId,
      seconds: settings.expirationSeconds, oldToken: oldToken, requestId: context.requestId)
    let grant = ownGrant(oldToken, channelId)
    let condition = grant.map { TokenAudit.Condition(statuses: Self.refreshable, uid: $0.uid) }
    var entry = self.entry(request, role: grant?.role ?? .publisher)
    // What is no token of ours may be any text.
    if grant == nil { entry.oldTokenPrefix = nil }
    let outcome = try audit.append(entry, where: condition)
    guard let call = outcome.call, call.isParticipant(context.userId),
      Self.refreshable.contains(call.status)
    else { throw CallError.noActiveCall }
    guard let grant, grant.uid == uid(context.userId, call) else {
      throw CallError.validation(
        "oldToken", .invalidToken, "oldToken is not your token for this channel.")
    }
    return try issue(request, role: grant.role, call, outcome, entry)
  }

  private static let refreshable: [CallStatus] = [.connecting, .connected]

  /// R4.2: role and uid of the old token, if it is ours and for this channel.
  private func ownGrant(_ oldToken: String, _ channelId: String) -> (role: RTCRole, uid: UInt32)? {
    guard let signed = try? SignedAccessToken2(oldToken),
      signed.isSigned(with: settings.appCertificate, appId: settings.appId),
      let grant = signed.token.rtc, grant.channel == channelId, let role = grant.role,
      let uid = UInt32(grant.uid), grant.uid == String(uid)
    else { return nil }
    return (role, uid)
  }

  private struct Request {
    let action: TokenAudit.Action
    let userId: String
    let channelId: String
    let seconds: Int
    let oldToken: String?
    let requestId: String
  }

  private func uid(_ userId: String, _ call: TokenAudit.ChannelCall) -> UInt32 {
    AgoraUID.uid(of: userId, callerId: call.callerId, calleeId: call.calleeId)
  }

  private func entry(_ request: Request, role: RTCRole) -> TokenAudit.Entry {
    let issuedAt = Timestamp(milliseconds: now().seconds * 1000)
    return TokenAudit.Entry(
      userId: request.userId, channelId: request.channelId, action: request.action,
      role: role.rawValue, oldTokenPrefix: request.oldToken.map { String($0.prefix(16)) },
      requestId: request.requestId, issuedAt: issuedAt,
      expiresAt: issuedAt.adding(seconds: Int64(request.seconds)))
  }

  /// Makes the token for a call; one without its audit row is never given out.
  private func issue(
    _ request: Request, role: RTCRole, _ call: TokenAudit.ChannelCall,
    _ outcome: TokenAudit.Outcome,
    _ entry: TokenAudit.Entry
  ) throws -> Reply {
    let uid = self.uid(request.userId, call)
    if !outcome.isAudited { try audit.append(entry, callId: call.id, uid: uid) }
    return try token(request, role: role, uid: uid, entry)
  }

  private func token(
    _ request: Request, role: RTCRole, uid: UInt32, _ entry: TokenAudit.Entry
  ) throws -> Reply {
    let token = try AccessToken2.rtc(
      appId: settings.appId, channel: request.channelId, uid: uid, role: role,
      issuedAt: UInt32(clamping: entry.issuedAt.seconds), expireSeconds: UInt32(request.seconds),
      salt: randomness.uint32()
    ).signed(with: settings.appCertificate)
    return .object { json in
      json.member("token", token)
      json.member("channelId", request.channelId)
      json.member("uid", Int64(uid))
      json.member("role", role.rawValue)
      json.member("expiresAt", entry.expiresAt.iso8601)
    }
  }
}

extension Fields {
  fileprivate mutating func channelId() -> String {
    requiredText(
      "channelId", .invalidChannelId, "1 to 63 bytes of Agora's channel name alphabet",
      isId: true, where: ChannelName.isValid)
  }
}
