// What the doctor asks nginx: whether the workers and the WebSocket server can be reached through it, and for how
// long its certificate is valid.

import HTTP
import HTTPClient

struct SiteChecks {
  private let url: HTTPURL
  private let leastDays: Int

  private static let daySeconds = 86_400

  init(_ url: HTTPURL, leastDays: Int) { (self.url, self.leastDays) = (url, leastDays) }

  func run() -> [Finding] {
    let base = "\(url.isSecure ? "https" : "http")://\(url.authority)"
    var seconds: Int?
    let findings = [
      Self.ask("\(base)/readyz", "nginx", unit: "nginx", certificateSeconds: &seconds),
      Self.ask("\(base)/signaling/readyz", "websockets", unit: "nginx"),
    ]
    return findings + (seconds.map { [certificate($0)] } ?? [])
  }

  static func ask(_ text: String, _ check: String, unit: String) -> Finding {
    var ignored: Int?
    return ask(text, check, unit: unit, certificateSeconds: &ignored)
  }

  /// The certificate is not verified: this host is asked by a name that it is not for.
  private static func ask(
    _ text: String, _ check: String, unit: String, certificateSeconds: inout Int?
  ) -> Finding {
    do {
      let client = HTTPClient(trust: try TrustStore(verifies: false))
      defer { certificateSeconds = client.certificateSecondsLeft }
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
