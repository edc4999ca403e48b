// What the REST application needs of the configuration.

import AgoraNotice
import Configuration
import Storage

package struct APISettings: Sendable {
  package var calls: CallSettings
  package var tokens: TokenSettings
  /// Requests per user and minute; 0 is no limit.
  package var limits: [RateLimit: Int]
  package var allowedOrigins: Set<String>
  package var noticeSignature: AgoraNoticeSignature
  /// How long neither participant of a call may be in Agora's channel.
  package var absenceSeconds: Int

  package init(_ configuration: Configuration) {
    calls = CallSettings(configuration)
    tokens = TokenSettings(
      appId: configuration.agoraAppId, appCertificate: configuration.agoraAppCertificate,
      expirationSeconds: configuration.tokenExpirationSeconds,
      allowsAnyChannel: configuration.tokensForAnyChannel)
    limits = [
      .tokenGenerate: configuration.limits.tokenGenerate,
      .tokenRefresh: configuration.limits.tokenRefresh,
      .callInitiate: configuration.limits.callInitiate,
      .callHistory: configuration.limits.callHistory,
      .quality: configuration.limits.quality,
      .ticket: configuration.limits.ticket,
      .other: configuration.limits.other,
    ]
    allowedOrigins = configuration.allowedOrigins
    noticeSignature = AgoraNoticeSignature(secrets: configuration.agoraWebhookSecrets)
    absenceSeconds = configuration.agoraAbsenceSeconds
  }
}

extension CallSettings {
  package init(_ configuration: Configuration) {
    self.init(
      ringSeconds: configuration.callTimeoutSeconds,
      maximumSeconds: configuration.maximumCallSeconds)
  }
}
