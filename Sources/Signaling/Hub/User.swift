// A user with at least one connection here. Ten thousand of these are there most of the time, so the
// bytes of the id stand behind the rest, in the one allocation.

import Calls
import Glibc

struct UserState {
  let serial: UInt32
  /// Of the id, in bytes.
  let length: UInt16
  var isFetching = false
  var mustLookAgain = false
  var first: Int32 = -1
  var count: Int32 = 0
  var ringingEventId: Int64 = 0
  var openedAt: UInt32 = 0
}

final class User: ManagedBuffer<UserState, UInt8> {
  /// The longest id there is, in bytes: each character has four at the most.
  static let maximumLength = 4 * UserID.maximumLength

  /// - Parameter id: of at most ``maximumLength`` bytes.
  static func make(id: String, serial: UInt32) -> User {
    var id = id
    return id.withUTF8 { bytes in
      let buffer = create(minimumCapacity: bytes.count) { _ in
        UserState(serial: serial, length: UInt16(bytes.count))
      }
      buffer.withUnsafeMutablePointerToElements { elements in
        if let first = bytes.baseAddress { elements.initialize(from: first, count: bytes.count) }
      }
      return unsafeDowncast(buffer, to: User.self)
    }
  }

  var id: String { withBytes { String(decoding: $0, as: UTF8.self) } }

  /// Tells this stay of the user from an earlier or a later one.
  var serial: UInt32 { header.serial }

  /// The newest of their sessions, by descriptor; -1 is none.
  var first: Int32 {
    get { header.first }
    set { header.first = newValue }
  }

  /// How many sessions they have.
  var count: Int32 {
    get { header.count }
    set { header.count = newValue }
  }

  /// A page of their events is being fetched.
  var isFetching: Bool {
    get { header.isFetching }
    set { header.isFetching = newValue }
  }

  /// Something came up meanwhile.
  var mustLookAgain: Bool {
    get { header.mustLookAgain }
    set { header.mustLookAgain = newValue }
  }

  /// The newest invitation that is known to have reached a device.
  var ringingEventId: Int64 {
    get { header.ringingEventId }
    set { header.ringingEventId = newValue }
  }

  /// The tick at which the newest of their sessions was told of what had been until then.
  var openedAt: UInt32 {
    get { header.openedAt }
    set { header.openedAt = newValue }
  }

  private func withBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
    withUnsafeMutablePointers { state, bytes in
      body(UnsafeBufferPointer(start: bytes, count: Int(state.pointee.length)))
    }
  }
}

/// Equal where ``UserID/areSame(_:_:)`` says so of the ids.
extension User: Hashable {
  static func == (one: User, other: User) -> Bool {
    one.withBytes { one in
      other.withBytes {
        one.count == $0.count && memcmp(one.baseAddress!, $0.baseAddress!, one.count) == 0
      }
    }
  }

  func hash(into hasher: inout Hasher) {
    withBytes { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
  }
}
