// The ids of the system: user ids from outside, call and channel ids made here, Agora's numeric uid.

import Crypto
import System

/// A user id as the wire and the tables carry it.
package enum UserID {
  /// In characters (contract §1).
  package static let maximumLength = 64

  /// 1–64 characters, no control characters, and no blank at the end: MySQL's comparison would not
  /// tell `alice ` from `alice`.
  package static func isValid(_ text: String) -> Bool {
    isPrintable(text, 1...maximumLength) && text.unicodeScalars.last != " "
  }

  /// Whether two ids are the same byte for byte, as the tables compare them. Swift's `==` takes `é`
  /// and an `e` with an accent behind it for one: two users.
  package static func areSame(_ one: String, _ other: String) -> Bool {
    haveSameBytes(one, other)
  }
}

/// What a client calls the device on which it runs (contract §7.6).
package enum DeviceID {
  /// 1–128 characters, no control characters.
  package static func isValid(_ text: String) -> Bool { isPrintable(text, 1...128) }

  /// Whether two ids are the same byte for byte, as the tables compare them.
  package static func areSame(_ one: String, _ other: String) -> Bool {
    haveSameBytes(one, other)
  }
}

/// Whether a text has so many characters (Unicode scalars, as MySQL counts them) and none of them is a
/// control character of ASCII.
private func isPrintable(_ text: String, _ length: ClosedRange<Int>) -> Bool {
  let scalars = text.unicodeScalars
  return length.contains(scalars.count)
    && scalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
}

private func haveSameBytes(_ one: String, _ other: String) -> Bool {
  let (one, other) = (one.utf8Span.span, other.utf8Span.span)
  guard one.count == other.count else { return false }
  for index in one.indices where one[index] != other[index] { return false }
  return true
}

/// A user id as a key: equal where ``UserID/areSame(_:_:)`` says so.
package struct UserKey: Hashable, Sendable {
  package let id: String

  package init(_ id: String) { self.id = id }

  package static func == (one: UserKey, other: UserKey) -> Bool {
    UserID.areSame(one.id, other.id)
  }

  package func hash(into hasher: inout Hasher) {
    id.utf8Span.span.withUnsafeBytes { hasher.combine(bytes: $0) }
  }
}

package enum CallID {
  /// A UUID version 7 (RFC 9562 section 5.7): sorted by creation, 74 bits of it random.
  package static func make(now: Timestamp, randomness: Randomness) -> String {
    var bytes = randomness.bytes(16)
    var milliseconds = UInt64(clamping: now.milliseconds)
    for index in stride(from: 5, through: 0, by: -1) {
      bytes[index] = UInt8(truncatingIfNeeded: milliseconds)
      milliseconds >>= 8
    }
    bytes[6] = bytes[6] & 0x0F | 0x70
    bytes[8] = bytes[8] & 0x3F | 0x80
    let hex = hexadecimal(bytes)
    var text = ""
    text.reserveCapacity(36)
    for (index, character) in hex.utf8.enumerated() {
      if [8, 12, 16, 20].contains(index) { text.append("-") }
      text.unicodeScalars.append(Unicode.Scalar(character))
    }
    return text
  }

  /// The form of a UUID, in either case: anything else cannot be a call of ours.
  package static func isWellFormed(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    guard bytes.count == 36 else { return false }
    for (index, byte) in bytes.enumerated() {
      switch index {
      case 8, 13, 18, 23: if byte != UInt8(ascii: "-") { return false }
      default:
        let isDigit = (48...57).contains(byte) || (97...102).contains(byte | 0x20)
        if !isDigit { return false }
      }
    }
    return true
  }
}

package enum ChannelID {
  /// 128 random bits as 32 hexadecimal digits.
  package static func make(randomness: Randomness) -> String { randomness.hexadecimal(bytes: 16) }
}

package enum AgoraUID {
  private static let hashedRange: ClosedRange<UInt32> = 0x8000_0000...0xFFFF_FFFF

  /// The uid of a user, the same every time (R3.2): a decimal user id of 1…2³¹−1 is its own, any
  /// other is hashed (the first 32 bits of its SHA-256) into 2³¹…2³²−1.
  package static func uid(of userId: String) -> UInt32 {
    if let first = userId.utf8.first, first != UInt8(ascii: "0"),
      userId.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int32(userId), number > 0
    {
      return UInt32(number)
    }
    let digest = SHA256.digest(Array(userId.utf8))
    let hash = digest[..<4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    return hash | hashedRange.lowerBound
  }

  /// The uid of a participant in one call: the callee steps aside where both hash alike.
  package static func uid(of userId: String, callerId: String, calleeId: String) -> UInt32 {
    let own = uid(of: userId)
    guard UserID.areSame(userId, calleeId), own == uid(of: callerId) else { return own }
    return own == hashedRange.upperBound ? hashedRange.lowerBound : own + 1
  }
}
