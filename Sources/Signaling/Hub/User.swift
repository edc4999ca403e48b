// A user with at least one connection here, and the directory of them.

import Calls

final class User {
  let id: String
  /// Tells this stay of the user from an earlier or a later one.
  let serial: UInt32
  /// The newest of their sessions, by descriptor; -1 is none.
  fileprivate(set) var first: Int32 = -1
  fileprivate(set) var count: Int32 = 0
  /// A page of their events is being fetched.
  var isFetching = false
  /// Something came up meanwhile.
  var mustLookAgain = false
  /// The newest invitation that is known to have reached a device.
  var ringingEventId: Int64 = 0

  fileprivate init(id: String, serial: UInt32) { (self.id, self.serial) = (id, serial) }
}

struct UserDirectory {
  private var users: [UserKey: User] = [:]
  private var serial: UInt32 = 0

  var count: Int { users.count }

  var keys: some Collection<UserKey> { users.keys }

  subscript(id: String) -> User? { users[UserKey(id)] }

  /// - Parameter sessionAt: the session of a descriptor.
  mutating func add(_ session: Session, userId: String, sessionAt: (Int32) -> Session?) {
    let user = self[userId] ?? make(userId)
    session.user = user
    session.next = user.first
    sessionAt(user.first)?.previous = session.raw
    user.first = session.raw
    user.count += 1
  }

  private mutating func make(_ id: String) -> User {
    serial &+= 1
    let user = User(id: id, serial: serial)
    users[UserKey(id)] = user
    return user
  }

  /// - Returns: the user, if this was their last connection.
  mutating func remove(_ session: Session, sessionAt: (Int32) -> Session?) -> User? {
    guard let user = session.user else { return nil }
    if user.first == session.raw { user.first = session.next }
    sessionAt(session.previous)?.next = session.next
    sessionAt(session.next)?.previous = session.previous
    session.user = nil
    user.count -= 1
    guard user.count == 0 else { return nil }
    users[UserKey(user.id)] = nil
    return user
  }
}
