// Users whom a hint has named and who have had nothing new so far: a hint may be faster than the row that
// it is about, where the sidecar reads from another node of a cluster than the one that was written to.

import Calls
import System

struct HintedUsers {
  /// From one look to the next, in milliseconds. The poll finds what takes longer.
  private static let delaysMilliseconds: [Int64] = [20, 30, 50]
  /// Users waiting after each look, so that a cluster that lags behind is not asked ever more.
  private static let waitingLimit = 1000

  private struct Entry {
    let user: UserKey
    let at: Int64
  }

  /// How many looks have brought nothing.
  private var looks: [UserKey: Int] = [:]
  /// By number of looks, those due first in front.
  private var waiting: [[Entry]] = Array(repeating: [], count: delaysMilliseconds.count)

  mutating func insert(_ user: UserKey) { looks[user] = 0 }

  mutating func remove(_ user: UserKey) {
    if !looks.isEmpty { looks[user] = nil }
  }

  /// A look has brought nothing; where a hint was the reason, another one becomes due.
  mutating func foundNothing(_ user: UserKey, now: Int64) {
    guard !looks.isEmpty, let count = looks[user] else { return }
    guard count < waiting.count, waiting[count].count < Self.waitingLimit else {
      looks[user] = nil
      return
    }
    looks[user] = count + 1
    waiting[count].append(Entry(user: user, at: now + Self.delaysMilliseconds[count]))
  }

  /// When the next is due, in milliseconds of the monotonic clock; nil where nobody waits.
  /// Asked twice in every round of the event loop, where most often nobody waits.
  var nextAt: Int64? {
    if looks.isEmpty { return nil }
    var next: Int64?
    for entries in waiting {
      if let at = entries.first?.at, at < next ?? .max { next = at }
    }
    return next
  }

  /// Takes those who are due and still have had nothing.
  mutating func takeDue(now: Int64) -> [UserKey] {
    var due: [UserKey] = []
    for index in waiting.indices {
      let count = waiting[index].prefix { $0.at <= now }.count
      due += waiting[index].prefix(count).map(\.user).filter { looks[$0] == index + 1 }
      waiting[index].removeFirst(count)
    }
    return due
  }
}

extension Hub {
  func hinted(_ userId: String) {
    guard let user = users[userId] else { return }
    hintedUsers.insert(UserKey(userId))
    look(user)
  }

  var millisecondsLeft: Int32? {
    hintedUsers.nextAt.map { Int32(clamping: max(0, $0 - MonotonicClock.milliseconds())) }
  }

  func due() {
    for key in hintedUsers.takeDue(now: MonotonicClock.milliseconds()) {
      if let user = users[key.id] { look(user) } else { hintedUsers.remove(key) }
    }
  }
}
