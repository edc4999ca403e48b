// Connections that wait for their first frame. Only a few ask the database at a time: when
// thousands come back at once, those that have gone again meanwhile are never asked for.

struct OpeningQueue {
  private struct Entry {
    let tag: UInt64
    let attempt: Int
  }

  private var waiting: [Entry] = []
  private var head = 0
  private var running: [UInt64: Int] = [:]
  private var failed: [Entry] = []

  /// Enough that no database thread ever waits for its next, and no more.
  private let concurrency: Int
  /// Attempts, a second apart, after which a connection is sent away.
  private static let attemptLimit = 10

  init(threads: Int) { concurrency = 2 * threads }

  mutating func append(_ tag: UInt64) { waiting.append(Entry(tag: tag, attempt: 1)) }

  /// The next that may be asked for, if any.
  mutating func next() -> UInt64? {
    guard running.count < concurrency, head < waiting.count else { return nil }
    let entry = waiting[head]
    head += 1
    if head == waiting.count {
      waiting.removeAll(keepingCapacity: waiting.capacity <= 1024)
      head = 0
    } else if head >= 1024 {
      waiting.removeSubrange(..<head)
      head = 0
    }
    running[entry.tag] = entry.attempt
    return entry.tag
  }

  /// The connection has gone before it was asked for, or what it waited for has come.
  mutating func finish(_ tag: UInt64) { running[tag] = nil }

  /// - Returns: false where it has been tried often enough.
  mutating func fail(_ tag: UInt64) -> Bool {
    let attempt = running.removeValue(forKey: tag) ?? 0
    guard attempt < Self.attemptLimit else { return false }
    failed.append(Entry(tag: tag, attempt: attempt + 1))
    return true
  }

  /// Lets those that failed have another try.
  mutating func retry() {
    waiting += failed
    failed = []
  }
}
