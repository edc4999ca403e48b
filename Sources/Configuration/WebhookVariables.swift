// WEBHOOK_… and the settings of Agora's REST API (contract §8, §9.4).

import Calls
import Crypto
import HTTP
import System

extension Configuration {
  /// What is sent to servers elsewhere.
  package struct Delivery: Sendable {
    /// nil where there is no WEBHOOK_URL: nothing is recorded then.
    package var webhooks: Webhooks?
    /// nil where there is no AGORA_CUSTOMER_ID: no kick is recorded then.
    package var kicks: Kicks?
    /// A file of certificates that are trusted besides the system's.
    package var caFile: String?
    /// Requests at once; 1…256.
    package var concurrency: Int

    /// What the changes of calls record.
    package var recording: Recording {
      Recording(webhooks?.events ?? []).union(kicks == nil ? [] : .kick)
    }
  }

  package struct Webhooks: Sendable {
    package var url: HTTPURL
    package var secrets: [WebhookSecret]
    package var events: Set<WebhookType>
  }

  package struct Kicks: Sendable {
    package var url: HTTPURL
    package var fallback: HTTPURL
    package var customerId: String
    package var customerSecret: String
  }
}

extension Variables {
  mutating func delivery() -> Configuration.Delivery {
    Configuration.Delivery(
      webhooks: webhooks(), kicks: kicks(), caFile: certificates("WEBHOOK_CA_FILE"),
      concurrency: number("WEBHOOK_CONCURRENCY", 1...256, standard: 16))
  }

  private mutating func webhooks() -> Configuration.Webhooks? {
    let events = webhookEvents()
    let secrets = list("WEBHOOK_SECRETS").compactMap { secret($0) }
    guard let text = optional("WEBHOOK_URL") else { return nil }
    if optional("WEBHOOK_SECRETS") == nil {
      fault("WEBHOOK_SECRETS", "is required with WEBHOOK_URL")
    }
    guard let url = url("WEBHOOK_URL", text) else { return nil }
    return Configuration.Webhooks(url: url, secrets: secrets, events: events)
  }

  private mutating func secret(_ text: String) -> WebhookSecret? {
    do { return try WebhookSecret(text) } catch {
      fault("WEBHOOK_SECRETS", "must list secrets: whsec_ and the base64 of 24 to 64 bytes")
      return nil
    }
  }

  private mutating func webhookEvents() -> Set<WebhookType> {
    let names = list("WEBHOOK_EVENTS")
    if optional("WEBHOOK_EVENTS") == nil { return Set(WebhookType.allCases) }
    let types = names.compactMap { WebhookType(rawValue: $0.lowercased()) }
    if types.count < names.count || types.isEmpty {
      let known = WebhookType.allCases.map(\.rawValue).joined(separator: ", ")
      fault("WEBHOOK_EVENTS", "must list some of \(known)")
    }
    return Set(types)
  }

  private mutating func kicks() -> Configuration.Kicks? {
    let url = kickURL("AGORA_API_URL", standard: "https://api.agora.io")
    let fallback = kickURL("AGORA_API_FALLBACK_URL", standard: "https://api.sd-rtn.com")
    let (id, secret) = (plain("AGORA_CUSTOMER_ID"), plain("AGORA_CUSTOMER_SECRET"))
    if id != nil, secret == nil {
      fault("AGORA_CUSTOMER_SECRET", "is required with AGORA_CUSTOMER_ID")
    }
    if id == nil, secret != nil {
      fault("AGORA_CUSTOMER_ID", "is required with AGORA_CUSTOMER_SECRET")
    }
    if id?.contains(":") == true { fault("AGORA_CUSTOMER_ID", "has a colon in it") }
    guard let id, let secret, let url, let fallback else { return nil }
    return Configuration.Kicks(
      url: url, fallback: fallback, customerId: id, customerSecret: secret)
  }

  /// The address of Agora's kicking rules below a base that is configured.
  private mutating func kickURL(_ name: String, standard: String) -> HTTPURL? {
    var base = (optional(name) ?? standard)[...]
    while base.last == "/" { base.removeLast() }
    if base.utf8.contains(UInt8(ascii: "?")) {
      fault(name, "has a query")
      return nil
    }
    return url(name, "\(base)/dev/v1/kicking-rule")
  }

  /// A URL whose content nobody on the way can read.
  private mutating func url(_ name: String, _ text: String) -> HTTPURL? {
    let url: HTTPURL
    do { url = try HTTPURL(text) } catch {
      fault(name, "is \(error)")
      return nil
    }
    if !url.isSecure, !url.isLoopback {
      fault(name, "must be https, or http to a loopback address")
      return nil
    }
    return url
  }

  private mutating func certificates(_ name: String) -> String? {
    guard let path = optional(name) else { return nil }
    do {
      let text = String(decoding: try readFile(path, limit: 1 << 20), as: UTF8.self)
      if text.split(separator: "\n").contains(where: { $0.hasPrefix("-----BEGIN CERTIFICATE-----") }
      ) {
        return path
      }
      fault(name, "has no certificate in it (PEM)")
    } catch { fault(name, "cannot be read: \(error)") }
    return nil
  }
}
