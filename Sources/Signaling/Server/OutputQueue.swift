// What a blocked socket has not taken yet.

final class OutputQueue {
  private var bytes: [UInt8]
  private var start = 0

  init(_ bytes: some Collection<UInt8>) { self.bytes = Array(bytes) }

  var count: Int { bytes.count - start }

  func append(_ write: (inout [UInt8]) -> Void) {
    if start > bytes.count / 2 {
      bytes.removeSubrange(..<start)
      start = 0
    }
    write(&bytes)
  }

  /// Hands what waits to `send`, which says how much of it was taken.
  func flush(_ send: (UnsafeRawBufferPointer) -> Int) {
    start += bytes.withUnsafeBytes { send(UnsafeRawBufferPointer(rebasing: $0[start...])) }
  }
}
