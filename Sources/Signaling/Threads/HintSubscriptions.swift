// Whose hints this server wants: the event loop says who has come and who has gone, and the thread that
// listens to Redis takes it from here. What is listened to is kept by Redis and, as the users who are
// connected, by the event loop; there is no third list.

import System

struct HintSubscriptions: Sendable {
  enum Change: Equatable {
    case add(String)
    case remove(String)
    /// The listener is to end.
    case end
  }

  let changes: Inbox<Change>

  init() throws(SystemError) { changes = try Inbox() }

  func add(_ userId: String) { changes.post(.add(userId)) }

  func remove(_ userId: String) { changes.post(.remove(userId)) }

  func end() { changes.post(.end) }

  /// For a connection that listens to nobody yet.
  func add(_ userIds: some Sequence<String>) { changes.post(contentsOf: userIds.map { .add($0) }) }
}
