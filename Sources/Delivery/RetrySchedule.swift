// When a request that failed is made again (contract §8.2, §9.4).

import System

package struct RetrySchedule: Sendable, Equatable {
  /// After the first failure, the second …; with one more, the event is given up.
  package let delaysSeconds: [Int64]
  /// By which a delay is lengthened or shortened at random, in per cent.
  package let jitterPercent: Int64

  /// The longest wait that a receiver may ask for.
  package static let longestSeconds: Int64 = 86_400

  package static let webhooks = RetrySchedule(
    delaysSeconds: [1, 5, 30, 120, 600, 3600, 21_600, 86_400], jitterPercent: 20)

  /// Three retries at Agora's address, then the other address, and the same there.
  package static let kicks = RetrySchedule(delaysSeconds: [1, 3, 6, 0, 1, 3, 6], jitterPercent: 0)
  /// Requests that go to Agora's first address.
  package static let kicksAtFirstAddress = 4

  /// - Parameters:
  ///   - attempts: Requests made so far, 1 or more.
  ///   - retryAfterSeconds: What the receiver asked for, which then holds.
  /// - Returns: nil where the event is given up.
  package func delayMilliseconds(
    afterAttempts attempts: Int, retryAfterSeconds: Int64? = nil, randomness: Randomness
  ) -> Int64? {
    guard attempts >= 1, attempts <= delaysSeconds.count else { return nil }
    if let retryAfterSeconds { return min(max(0, retryAfterSeconds), Self.longestSeconds) * 1000 }
    let milliseconds = delaysSeconds[attempts - 1] * 1000
    let spread = milliseconds * jitterPercent / 100
    guard spread > 0 else { return milliseconds }
    return milliseconds - spread + Int64(randomness.uint32()) % (2 * spread + 1)
  }
}
