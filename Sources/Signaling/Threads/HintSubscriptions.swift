// Whose hints this server wants: the event loop says who has come and who has gone, and the thread that
// listens to Redis takes it from here. What is listened to is kept by Redis and, as the users who are
// connected, by the event loop; there is no third list.

import Synchronization
import System

final class HintSubscriptions: Sendable {
  enum Change: Equatable {
    case add(String)
    case remove(String)
  }

  private let changes = Mutex<[Change]>([])
  private let event: EventDescriptor

  init() throws(SystemError) { event = try EventDescriptor() }

  /// Readable while there is something to take.
  var raw: Int32 { event.descriptor.raw }

  func add(_ userId: String) { post(CollectionOfOne(.add(userId))) }

  func remove(_ userId: String) { post(CollectionOfOne(.remove(userId))) }

  /// For a connection that listens to nobody yet.
  func add(_ userIds: some Sequence<String>) { post(userIds.map { .add($0) }) }

  private func post(_ new: some Collection<Change>) {
    if new.isEmpty { return }
    let wasEmpty = changes.withLock { changes in
      defer { changes += new }
      return changes.isEmpty
    }
    if wasEmpty { event.signal() }
  }

  /// Takes the oldest changes, in their order.
  /// - Parameter limit: 1 or more.
  func take(limit: Int) -> [Change] {
    changes.withLock { changes in
      if changes.count <= limit {
        event.drain()
        defer { changes = [] }
        return changes
      }
      defer { changes.removeFirst(limit) }
      return Array(changes.prefix(limit))
    }
  }
}
