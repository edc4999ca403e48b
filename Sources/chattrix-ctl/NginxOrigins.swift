// nginx's origins.conf: the origins of ALLOWED_ORIGINS once more, for what nginx answers by itself. It compares
// texts without regard to case, and browsers leave the default port out: so each stands there normalized.

import HTTP

struct NginxOrigins {
  static let installedPath = "/etc/nginx/chattrix/origins.conf"

  /// Normalized.
  private let origins: Set<String>
  private let varies: Bool

  /// Reads a file of the form that `file(for:)` writes and that an installation brings.
  init(_ text: String) {
    let lines = text.split(separator: "\n").map { line in
      String(decoding: HTTPText.trimmed(Array(line.utf8)), as: UTF8.self)
    }
    let values = lines.filter { $0.hasPrefix("\"") }.compactMap { line in
      line.dropFirst().split(separator: "\"", maxSplits: 1).first
    }
    origins = Set(values.map { HTTPOrigin.normalized($0) ?? String($0) })
    varies = lines.contains { $0.hasPrefix("default Origin") || $0.hasPrefix("default \"Origin\"") }
  }

  func fits(_ allowed: Set<String>) -> Bool { origins == allowed && varies != allowed.isEmpty }

  static func file(for allowed: Set<String>) -> String {
    let lines = allowed.sorted().map { "  \"\($0)\" $http_origin;\n" }
    return """
      # The web origins of ALLOWED_ORIGINS (calls.env), as `chattrix-ctl origins` printed them.

      map $http_origin $chattrix_origin {
        default "";
      \(lines.joined())}

      map "" $chattrix_vary {
        default \(allowed.isEmpty ? "\"\"" : "Origin");
      }

      """
  }
}
