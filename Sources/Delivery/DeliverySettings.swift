// What is sent where (contract §8, §9.4).

import Calls
import Crypto
import HTTP

/// The application's receiver of webhooks.
package struct WebhookReceiver: Sendable {
  package let url: HTTPURL
  /// Each signs every request, so that the receiver can change from one to the next.
  package let secrets: [WebhookSecret]

  package init(url: HTTPURL, secrets: [WebhookSecret]) {
    (self.url, self.secrets) = (url, secrets)
  }
}

/// Agora's REST API.
package struct KickService: Sendable {
  package let appId: String
  /// The address of the kicking rules, and where it is tried when that one fails.
  package let url: HTTPURL
  package let fallback: HTTPURL
  /// The value of `Authorization`.
  package let authorization: String

  package init(
    appId: String, url: HTTPURL, fallback: HTTPURL, customerId: String, customerSecret: String
  ) {
    (self.appId, self.url, self.fallback) = (appId, url, fallback)
    authorization = "Basic " + Base64.encode(Array("\(customerId):\(customerSecret)".utf8))
  }
}

package struct DeliverySettings: Sendable {
  /// nil where no webhooks are sent any more: those that were recorded wait.
  package var receiver: WebhookReceiver?
  package var kicks: KickService?
  /// Requests at once; 1…256.
  package var concurrency: Int

  package init(receiver: WebhookReceiver?, kicks: KickService?, concurrency: Int) {
    (self.receiver, self.kicks, self.concurrency) = (receiver, kicks, concurrency)
  }
}
