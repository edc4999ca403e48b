// The thread that looks for events by itself four times a second, because a hint may be lost
// (design §3). It does nothing else: whatever waits for a lock would hold up everybody's events.

import System

final class Poller: Sendable {
  let thread: Thread
  private let isOver: Signal

  private static let intervalMilliseconds: Int64 = 250
  /// An event is dated when it is written and seen when it is committed, so the poll looks back
  /// further than its interval; once in a while further still, for a transaction that took long.
  private static let windowMilliseconds = 1500
  private static let wideIntervalMilliseconds: Int64 = 5000
  private static let wideWindowMilliseconds = 15_000
  /// What the outbox keeps.
  private static let maximumWindowMilliseconds: Int64 = 86_400_000

  /// Starts the thread.
  /// - Parameter makeBackend: called once, on it.
  init(
    makeBackend: @escaping @Sendable () -> any Backend, mailbox: Mailbox, database: Availability
  ) throws(SystemError) {
    let isOver = try Signal()
    self.isOver = isOver
    thread = try Thread.start(name: "poller") {
      var round = Round()
      let backend = makeBackend()
      while !isOver.wait(milliseconds: round.millisecondsLeft) {
        guard let window = round.dueWindow() else { continue }
        let found = database.attempt { try backend.usersWithEvents(sinceMilliseconds: window) }
        guard case .success(let users) = found else { continue }
        round.succeeded()
        if !users.isEmpty { mailbox.post(.recent(users)) }
      }
    }
  }

  /// Ends the thread, after the poll in hand.
  func end() { isOver.raise() }

  /// When to look next, and how far back.
  private struct Round {
    private var nextAt = MonotonicClock.milliseconds()
    private var nextWideAt: Int64 = 0
    private var lastSuccessAt = MonotonicClock.milliseconds()
    private var askedAt: Int64 = 0

    var millisecondsLeft: Int32 { Int32(clamping: max(0, nextAt - MonotonicClock.milliseconds())) }

    /// The window in milliseconds, or nil where it is too early.
    mutating func dueWindow() -> Int? {
      let now = MonotonicClock.milliseconds()
      guard now >= nextAt else { return nil }
      nextAt = now + intervalMilliseconds
      askedAt = now
      // After an outage, all that came about in it.
      let gap = Int(min(now - lastSuccessAt, maximumWindowMilliseconds))
      return (now >= nextWideAt ? wideWindowMilliseconds : windowMilliseconds) + gap
    }

    mutating func succeeded() {
      lastSuccessAt = askedAt
      if askedAt >= nextWideAt { nextWideAt = askedAt + wideIntervalMilliseconds }
    }
  }
}
