import System
import Testing

@testable import Delivery

@Suite("Contract 8.2: when a webhook is tried again")
struct RetryScheduleTests {
  private func delays(_ schedule: RetrySchedule, _ randomness: Randomness) -> [Int64] {
    (1...schedule.delaysSeconds.count).compactMap {
      schedule.delayMilliseconds(afterAttempts: $0, randomness: randomness)
    }
  }

  @Test(
    "After 1 s, 5 s, 30 s, 2 min, 10 min, 1 h, 6 h, 24 h, with 20 per cent of jitter; then given up"
  )
  func schedule() {
    let seconds: [Int64] = [1, 5, 30, 120, 600, 3600, 21_600, 86_400]
    for _ in 0..<200 {
      let found = delays(.webhooks, .system)
      #expect(found.count == seconds.count)
      for (delay, second) in zip(found, seconds) {
        #expect(second * 800...second * 1200 ~= delay)
      }
    }
    #expect(RetrySchedule.webhooks.delayMilliseconds(afterAttempts: 9, randomness: .system) == nil)
  }

  @Test("Both ends of the jitter are reached, and nothing beyond them")
  func jitter() {
    let least = Randomness { Array(repeating: 0, count: $0) }
    #expect(RetrySchedule.webhooks.delayMilliseconds(afterAttempts: 1, randomness: least) == 800)
    let most = Randomness { _ in [0, 0, 1, 144] }  // 400 = twice the spread
    #expect(RetrySchedule.webhooks.delayMilliseconds(afterAttempts: 1, randomness: most) == 1200)
  }

  @Test("What the receiver asks for holds, up to a day")
  func retryAfter() {
    func delay(_ seconds: Int64) -> Int64? {
      RetrySchedule.webhooks.delayMilliseconds(
        afterAttempts: 3, retryAfterSeconds: seconds, randomness: .system)
    }
    #expect(delay(7) == 7000)
    #expect(delay(0) == 0)
    #expect(delay(-1) == 0)
    #expect(delay(1_000_000) == 86_400_000)
  }

  @Test("Contract 9.4: a kick after 1, 3 and 6 s, and then at the other address")
  func kicks() {
    #expect(delays(.kicks, .system) == [1000, 3000, 6000, 0, 1000, 3000, 6000])
    #expect(RetrySchedule.kicksAtFirstAddress == 4)
  }
}
