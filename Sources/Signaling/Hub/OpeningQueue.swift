// Connections that wait for their first frame. A reader is asked for a batch of them at a
// time: one by one while they come one by one, many with one question when thousands come back at
// once, and those that have gone again meanwhile are never asked for.

struct OpeningQueue {
  struct Batch: Sendable, Equatable {
    /// The reader that it is for.
    let thread: Int
    fileprivate(set) var tags: [UInt64] = []
    /// Whose these connections are, in the same order.
    fileprivate(set) var userIds: [String] = []
    fileprivate var attempts: [Int] = []
  }

  private struct Entry {
    let tag: UInt64
    let attempt: Int
  }

  private var waiting: [Entry] = []
  private var head = 0
  private var failed: [Entry] = []
  /// Threads without a batch.
  private var free: [Int]
  private let threads: Int

  /// What one statement asks for.
  static let batchSize = 32
  /// Attempts, a second apart, after which a connection is sent away.
  private static let attemptLimit = 10

  init(threads: Int) {
    self.threads = threads
    free = Array(0..<threads)
  }

  mutating func append(_ tag: UInt64) { waiting.append(Entry(tag: tag, attempt: 1)) }

  /// The next batch that may be asked for, if any. While one is under way the next is not begun
  /// until it is full: many small ones would cost more than they bring.
  /// - Parameters:
  ///   - isLate: the one under way takes long, and nobody is to wait for it any more.
  ///   - userId: whose a connection is; nil where it has gone.
  mutating func next(isLate: Bool = false, userId: (_ tag: UInt64) -> String?) -> Batch? {
    let isFull = waiting.count - head >= Self.batchSize
    guard let thread = free.first, isFull || isLate || free.count == threads else { return nil }
    var batch = Batch(thread: thread)
    while head < waiting.count, batch.tags.count < Self.batchSize {
      let entry = waiting[head]
      head += 1
      guard let id = userId(entry.tag) else { continue }
      batch.tags.append(entry.tag)
      batch.userIds.append(id)
      batch.attempts.append(entry.attempt)
    }
    dropTaken()
    guard !batch.tags.isEmpty else { return nil }
    free.removeFirst()
    return batch
  }

  private mutating func dropTaken() {
    if head == waiting.count {
      waiting.removeAll(keepingCapacity: waiting.capacity <= 1024)
      head = 0
    } else if head >= 1024 {
      waiting.removeSubrange(..<head)
      head = 0
    }
  }

  /// What the batch waited for has come.
  mutating func finish(_ batch: Batch) { free.append(batch.thread) }

  /// - Returns: those that have been tried often enough.
  mutating func fail(_ batch: Batch) -> [UInt64] {
    finish(batch)
    var exhausted: [UInt64] = []
    for (tag, attempt) in zip(batch.tags, batch.attempts) {
      if attempt < Self.attemptLimit {
        failed.append(Entry(tag: tag, attempt: attempt + 1))
      } else {
        exhausted.append(tag)
      }
    }
    return exhausted
  }

  /// Lets those that failed have another try.
  mutating func retry() {
    waiting += failed
    failed = []
  }
}
