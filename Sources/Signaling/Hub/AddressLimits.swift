// How many connections an address may have. The own host is not counted: a proxy that names no
// client must not become one client.

import CLinux
import Glibc

struct AddressLimits {
  /// 0 is no limit.
  let limit: Int
  private var counts: [String: Int] = [:]
  private var addresses: [UInt64: String] = [:]

  init(limit: Int) { self.limit = limit }

  static func isLocal(_ address: String) -> Bool {
    address.isEmpty || address == "::1" || address.hasPrefix("127.")
      || address.hasPrefix("::ffff:127.")
  }

  /// What is counted as one address: of IPv6 a network of 64 bits, in which whoever has one address has
  /// all of them (RFC 4291, 2.5.1).
  private static func network(of address: String) -> String {
    var bytes = [UInt8](repeating: 0, count: 16)
    guard inet_pton(AF_INET6, address, &bytes) == 1 else { return address }
    let isMapped = bytes.starts(with: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF])
    let (count, separator) = isMapped ? (4, ".") : (8, ":")
    return (isMapped ? bytes.suffix(count) : bytes.prefix(count)).map { String($0) }
      .joined(separator: separator)
  }

  /// - Returns: false where the address has as many as it may.
  mutating func admit(_ address: String, tag: UInt64) -> Bool {
    guard limit > 0, !Self.isLocal(address) else { return true }
    let address = Self.network(of: address)
    guard counts[address, default: 0] < limit else { return false }
    counts[address, default: 0] += 1
    addresses[tag] = address
    return true
  }

  mutating func release(_ tag: UInt64) {
    guard !addresses.isEmpty, let address = addresses.removeValue(forKey: tag),
      let count = counts[address]
    else { return }
    counts[address] = count > 1 ? count - 1 : nil
  }
}
