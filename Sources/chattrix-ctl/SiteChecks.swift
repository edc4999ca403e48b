// What the doctor asks nginx: whether the workers and the WebSocket server can be reached through it, how long its
// certificate is valid, and whether clients will take it.

import HTTP
import HTTPClient

struct SiteChecks {
  private let url: HTTPURL
  private let leastDays: Int
  private let names: [String]

  private static let daySeconds = 86_400

  /// - Parameter names: By which clients come.
  init(_ url: HTTPURL, leastDays: Int, names: [String]) {
    (self.url, self.leastDays, self.names) = (url, leastDays, names)
  }

  func run() -> [Finding] {
    let base = "\(url.isSecure ? "https" : "http")://\(url.authority)"
    var shown: ServerCertificate?
    let findings = [
      Self.ask("\(base)/readyz", "nginx", unit: "nginx", certificate: &shown),
      Self.ask("\(base)/signaling/readyz", "websockets", unit: "nginx"),
    ]
    return findings + (shown.map { [certificate($0.secondsLeft)] + acceptance() } ?? [])
  }

  static func ask(_ text: String, _ check: String, unit: String) -> Finding {
    var ignored: ServerCertificate?
    return ask(text, check, unit: unit, certificate: &ignored)
  }

  /// The certificate is not verified: this host is asked by a name that it is not for.
  private static func ask(
    _ text: String, _ check: String, unit: String, certificate: inout ServerCertificate?
  ) -> Finding {
    do {
      let client = HTTPClient(trust: try TrustStore(verifies: false))
      defer { certificate = client.certificate }
      let response = try client.get(try HTTPURL(text))
      return answer(response.status, text, check, unit)
    } catch {
      return .fault(
        check, "\(text): \(error)", "systemctl status \(unit) and journalctl -u \(unit) say why.")
    }
  }

  private static func answer(_ status: Int, _ text: String, _ check: String, _ unit: String)
    -> Finding
  {
    switch status {
    case 200: return .ok(check, "\(text) is ready")
    case 404, 421:
      return .fault(
        check, "\(text) answers \(status)",
        "host.conf: server_name has to name localhost too, and loopback.conf this host's address.")
    case 503:
      return .fault(
        check, "\(text) answers 503", "See the findings on the database and the sockets.")
    default:
      return .fault(
        check, "\(text) answers \(status)",
        "/var/log/nginx/chattrix-error.log says why; systemctl status chattrix-calls "
          + "chattrix-signaling.")
    }
  }

  /// What a client makes of the certificate, by a handshake at this host for each name. Which of them is answered, and
  /// how, is not asked.
  private func acceptance() -> [Finding] {
    let shown = names.compactMap { name -> (name: String, certificate: ServerCertificate)? in
      guard let trust = try? TrustStore(verifies: false),
        let url = try? HTTPURL("https://\(name):\(url.port)/readyz")
      else { return nil }
      let client = HTTPClient(trust: trust, route: self.url)
      _ = try? client.get(url)
      return client.certificate.map { (name, $0) }
    }
    let others = shown.filter { !$0.certificate.isForHost }.map(\.name)
    if !others.isEmpty {
      return [
        .fault(
          "names", "the certificate is not for \(others.joined(separator: ", "))",
          "Have it made for every server_name of host.conf, or take out the names that nobody comes by."
        )
      ]
    }
    if let fault = shown.compactMap(\.certificate.chainFault).first {
      return [
        .warning(
          "names", "the certificate is not trusted here: \(fault)",
          "ssl_certificate is the whole chain (fullchain.pem); SSL_CERT_FILE=… has an authority of your own."
        )
      ]
    }
    return shown.isEmpty ? [] : [.ok("names", "the certificate is for all, and trusted")]
  }

  private func certificate(_ seconds: Int) -> Finding {
    let days = seconds / Self.daySeconds
    if seconds <= 0 {
      return .fault(
        "certificate", "has expired", "Renew it (host.conf, site.conf) and reload nginx.")
    }
    guard days >= leastDays else {
      return .fault(
        "certificate", "expires in \(days) days",
        "Renew it (host.conf, site.conf) and reload nginx; see why that has not happened by itself."
      )
    }
    return .ok("certificate", "valid for \(days) days")
  }
}
