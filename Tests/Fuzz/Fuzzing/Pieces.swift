// A stream cut into pieces as a socket might cut it. The cuts follow from the bytes themselves, so
// that an input is nothing but a stream, and a crash comes again.

public enum Cut: CaseIterable {
  case whole, everyByte, random
}

public func pieces(of bytes: [UInt8], _ cut: Cut) -> [[UInt8]] {
  switch cut {
  case .whole: return [bytes]
  case .everyByte: return bytes.map { [$0] }
  case .random: return randomPieces(of: bytes)
  }
}

private func randomPieces(of bytes: [UInt8]) -> [[UInt8]] {
  var state = fnv1a(bytes)
  var pieces: [[UInt8]] = []
  var position = 0
  while position < bytes.count {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407  // Knuth's MMIX
    let largest = [3, 16, 200][Int(state >> 60) % 3]
    let end = min(bytes.count, position + 1 + Int(state >> 33) % largest)
    pieces.append(Array(bytes[position..<end]))
    position = end
  }
  return pieces
}

/// FNV-1a, 64 bits.
private func fnv1a(_ bytes: [UInt8]) -> UInt64 {
  bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
}
