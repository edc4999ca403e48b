// MYSQL_HOST: one server, or the nodes of a cluster, separated by commas.

import MySQL
import System

extension Variables {
  /// More nodes than clusters have; each can cost a connection its time-out.
  private static let addressLimit = 8

  /// `HOST`, `HOST:PORT`, `[IPv6]` or `[IPv6]:PORT`, and an IPv6 address without a port as it is.
  /// MYSQL_PORT is the port of those that have none.
  mutating func mysqlAddresses() -> [MySQLAddress] {
    let port = UInt16(number("MYSQL_PORT", 1...65_535, standard: 3306))
    // To the client library `localhost` is a Unix socket, and the port that was asked for nothing.
    let hasPort = optional("MYSQL_PORT") != nil
    let standard = MySQLAddress(host: "127.0.0.1", port: port)
    guard let text = plain("MYSQL_HOST") else { return [standard] }
    var addresses: [MySQLAddress] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let (host, own) = Self.hostAndPort(trimmed(part)) else {
        fault(
          "MYSQL_HOST",
          "must list names or addresses of hosts, each with or without :PORT, and IPv6 in brackets then"
        )
        return [standard]
      }
      addresses.append(
        MySQLAddress(
          host: host, port: own ?? port, usesTCP: own != nil || hasPort || host != "localhost"))
    }
    if addresses.count > Self.addressLimit {
      fault("MYSQL_HOST", "may list \(Self.addressLimit) hosts at the most")
    }
    return addresses
  }

  private func trimmed(_ text: Substring) -> Substring {
    var text = text
    while text.first == " " { text.removeFirst() }
    while text.last == " " { text.removeLast() }
    return text
  }

  /// - Returns: nil where it is neither.
  private static func hostAndPort(_ text: Substring) -> (host: String, port: UInt16?)? {
    var (host, port) = (text, Substring?.none)
    if text.first == "[" {
      guard let end = text.firstIndex(of: "]") else { return nil }
      host = text[text.index(after: text.startIndex)..<end]
      let rest = text[text.index(after: end)...]
      guard host.utf8.contains(UInt8(ascii: ":")), rest.isEmpty || rest.first == ":" else {
        return nil
      }
      if !rest.isEmpty { port = rest.dropFirst() }
    } else if text.utf8.count(where: { $0 == UInt8(ascii: ":") }) == 1 {
      let colon = text.firstIndex(of: ":")!
      (host, port) = (text[..<colon], text[text.index(after: colon)...])
    }
    guard !host.isEmpty, host.last != ":" || host == "::",
      !host.utf8.contains(where: { $0 <= 0x20 || "/[]@".utf8.contains($0) })
    else { return nil }
    guard let port else { return (String(host), nil) }
    guard port.utf8.count <= 5, port.utf8.allSatisfy({ $0 &- 0x30 < 10 }),
      let number = UInt16(port), number > 0
    else { return nil }
    return (String(host), number)
  }
}
