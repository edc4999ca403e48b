// The addresses of a configuration: what is read can be written, and is then the same.

import Fuzzing
import Redis
import System

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  guard let text = String(validating: fuzzInput(start, count), as: UTF8.self) else { return 0 }
  if let address = SocketAddress(text) { check(address) }
  if let redis = try? RedisAddress(url: text) { check(redis.socket) }
  return 0
}

private func check(_ address: SocketAddress) {
  require(SocketAddress(address.description) == address, "what is written reads as the same")
  if case .unix(let path) = address {
    require(path.utf8.count <= 107 && path.utf8.first == UInt8(ascii: "/"), "a path that binds")
  }
}
