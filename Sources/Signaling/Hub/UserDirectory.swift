// Who has a connection here, by id.

struct UserDirectory {
  private var users: Set<User> = []
  private var serial: UInt32 = 0

  var count: Int { users.count }

  subscript(id: String) -> User? {
    guard id.utf8.count <= User.maximumLength else { return nil }
    return users.firstIndex(of: User.make(id: id, serial: 0)).map { users[$0] }
  }

  var ids: some Sequence<String> { users.lazy.map(\.id) }

  /// - Parameter sessionAt: the session of a descriptor.
  /// - Returns: whether it is the user's only connection.
  mutating func add(_ session: Session, userId: String, sessionAt: (Int32) -> Session?) -> Bool {
    serial &+= 1
    let user = users.insert(User.make(id: userId, serial: serial)).memberAfterInsert
    session.user = user
    session.next = user.first
    sessionAt(user.first)?.previous = session.raw
    user.first = session.raw
    user.count += 1
    return user.count == 1
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
    users.remove(user)
    return user
  }
}
