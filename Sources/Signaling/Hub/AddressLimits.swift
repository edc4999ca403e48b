// How many connections an address may have. The own host is not counted: a proxy that names no
// client must not become one client.

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

  /// - Returns: false where the address has as many as it may.
  mutating func admit(_ address: String, tag: UInt64) -> Bool {
    guard limit > 0, !Self.isLocal(address) else { return true }
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
