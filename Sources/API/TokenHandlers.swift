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
  let store: CallStore
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
    let call = try participation(context.userId, channelId)
    return try issue(
      Grant(
        action: .generate, userId: context.userId, call: call, channelId: channelId,
        role: role ?? .publisher, seconds: seconds ?? settings.expirationSeconds,
        oldToken: nil, requestId: context.requestId))
  }

  func refresh(_ context: Context) throws -> Reply {
    var fields = context.fields()
    let channelId = fields.channelId()
    let oldToken = fields.requiredText("oldToken", .invalidToken, "an Agora token") { !$0.isEmpty }
    try fields.check()
    guard let call = try store.call(onChannel: channelId), call.isParticipant(context.userId),
      call.status == .connecting || call.status == .connected
    else { throw CallError.noActiveCall }
    let role = try role(of: oldToken, context.userId, call)
    return try issue(
      Grant(
        action: .refresh, userId: context.userId, call: call, channelId: channelId, role: role,
        seconds: settings.expirationSeconds, oldToken: oldToken, requestId: context.requestId))
  }

  /// The call on the channel that gives the user the right to a token; nil for a channel of no call
  /// where the settings allow that.
  /// - Throws: `CallError.unauthorizedAccess`.
  private func participation(_ userId: String, _ channelId: String) throws -> Call? {
    let call = try store.call(onChannel: channelId)
    if let call, call.isParticipant(userId),
      settings.allowsAnyChannel || !(call.status.isTerminal || call.isExpired(at: now()))
    {
      return call
    }
    if call == nil, settings.allowsAnyChannel { return nil }
    throw CallError.unauthorizedAccess("You take no part in a live call on this channel.")
  }

  /// R4.2: the role that the old token carries, if it is ours, for this channel and this user.
  /// - Throws: `CallError.validation`.
  private func role(of oldToken: String, _ userId: String, _ call: Call) throws(CallError)
    -> RTCRole
  {
    let uid = AgoraUID.uid(of: userId, callerId: call.callerId, calleeId: call.calleeId)
    guard let signed = try? SignedAccessToken2(oldToken),
      signed.isSigned(with: settings.appCertificate, appId: settings.appId),
      let grant = signed.token.rtc, grant.channel == call.channelId, grant.uid == String(uid),
      let role = grant.role
    else {
      throw .validation("oldToken", .invalidToken, "oldToken is not your token for this channel.")
    }
    return role
  }

  private struct Grant {
    let action: TokenAudit.Action
    let userId: String
    let call: Call?
    let channelId: String
    let role: RTCRole
    let seconds: Int
    let oldToken: String?
    let requestId: String
  }

  /// Makes the token and writes the audit row; a token without its row is never given out.
  private func issue(_ grant: Grant) throws -> Reply {
    let uid =
      grant.call.map {
        AgoraUID.uid(of: grant.userId, callerId: $0.callerId, calleeId: $0.calleeId)
      } ?? AgoraUID.uid(of: grant.userId)
    let issuedAt = Timestamp(milliseconds: now().seconds * 1000)
    let expiresAt = issuedAt.adding(seconds: Int64(grant.seconds))
    let token = try AccessToken2.rtc(
      appId: settings.appId, channel: grant.channelId, uid: uid, role: grant.role,
      issuedAt: UInt32(clamping: issuedAt.seconds), expireSeconds: UInt32(grant.seconds),
      salt: randomness.uint32()
    ).signed(with: settings.appCertificate)
    try audit.append(
      TokenAudit.Entry(
        userId: grant.userId, callId: grant.call?.id, channelId: grant.channelId,
        action: grant.action, role: grant.role.rawValue, uid: uid,
        oldTokenPrefix: grant.oldToken.map { String($0.prefix(16)) },
        requestId: grant.requestId, issuedAt: issuedAt, expiresAt: expiresAt))
    return .object { json in
      json.member("token", token)
      json.member("channelId", grant.channelId)
      json.member("uid", Int64(uid))
      json.member("role", grant.role.rawValue)
      json.member("expiresAt", expiresAt.iso8601)
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
