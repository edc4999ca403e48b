// Signatures of Standard Webhooks 1.0 (contract §8.1): HMAC-SHA256 over `id.timestamp.body`.
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

/// What sender and receiver share: `whsec_` and base64 of 24 to 64 random bytes.
package struct WebhookSecret: Sendable, CustomStringConvertible {
  fileprivate let key: [UInt8]

  /// - Throws: ``WebhookSecretError``.
  package init(_ text: String) throws(WebhookSecretError) {
    guard text.hasPrefix("whsec_") else { throw .noPrefix }
    guard let key = Base64.decode(String(text.dropFirst(6))) else { throw .notBase64 }
    guard (24...64).contains(key.count) else { throw .length }
    self.key = key
  }

  /// Not the secret, so that no log gets it by accident.
  package var description: String { "whsec_…" }
}

/// Why a text is no secret; no case carries a part of it.
package enum WebhookSecretError: Error, Equatable, Sendable, CustomStringConvertible {
  case noPrefix, notBase64, length

  package var description: String {
    switch self {
    case .noPrefix: "a webhook secret that does not begin with whsec_"
    case .notBase64: "a webhook secret that is not base64 (with its padding) after whsec_"
    case .length: "a webhook secret of fewer than 24 or more than 64 bytes"
    }
  }
}

package enum WebhookSignature {
  /// The field `webhook-signature`: one `v1,` and base64 for each secret, separated by blanks, so that a
  /// receiver that knows any of them can verify while secrets are exchanged.
  /// - Parameters:
  ///   - id: The field `webhook-id`, without a full stop.
  ///   - timestampSeconds: The field `webhook-timestamp`, since 1970.
  package static func signatures(
    id: String, timestampSeconds: Int64, body: [UInt8], secrets: [WebhookSecret]
  ) -> String {
    let content = Array("\(id).\(timestampSeconds).".utf8) + body
    return secrets.map { secret in
      "v1," + Base64.encode(HMAC.authenticate(.sha256, key: secret.key, message: content))
    }.joined(separator: " ")
  }
}
