// The names by which clients come, as nginx's host.conf has them.

import HTTP

enum NginxNames {
  static let installedPath = "/etc/nginx/chattrix/host.conf"

  /// Those of `server_name` that a certificate is looked at for: no address, wildcard or expression, and not
  /// `localhost`, by which this host looks at itself.
  static func names(in text: String) -> [String] {
    let lines = text.split(separator: "\n").map { $0.prefix { $0 != "#" } }
    let directives = lines.joined(separator: " ").split(separator: ";").map { directive in
      directive.split { $0 == " " || $0 == "\t" || $0 == "\r" }.map(String.init)
    }
    return directives.filter { $0.first == "server_name" }.flatMap { $0.dropFirst() }.filter(isName)
  }

  private static func isName(_ text: String) -> Bool {
    guard text != "localhost", text != "_", let url = try? HTTPURL("https://\(text)") else {
      return false
    }
    return !url.isAddress && text.first != "." && text.first != "~" && !text.contains("*")
  }
}
