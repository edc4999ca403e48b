// What an answer means for its event (contract §8.2, §9.4).

import Calls
import HTTP
import HTTPClient
import Storage
import System

struct Verdict: Equatable {
  let outcome: DeliveryOutcome
  /// For the log: an HTTP status, or what went wrong.
  let reason: String

  /// - Parameter now: For a `Retry-After` that is a date, and for the time until which an event is worth sending.
  init(_ answer: Answer, at now: Timestamp, randomness: Randomness) {
    let delivery = answer.request.delivery
    var retryAfterSeconds: Int64?
    switch answer.result {
    case .success(let response) where 200...299 ~= response.status:
      (outcome, reason) = (.delivered, String(response.status))
      return
    case .success(let response) where response.status == 410 && delivery.key.type != nil:
      (outcome, reason) = (.givenUp(error: "HTTP status 410"), "410")
      return
    case .success(let response):
      reason = "HTTP status \(response.status)"
      retryAfterSeconds = response.headers["Retry-After"].flatMap {
        RetryAfter.seconds(
          $0, now: now, maximumSeconds: Int(RetrySchedule.longestSeconds)
        ).map { Int64($0) }
      }
    case .failure(let error): reason = error.description
    }
    let schedule: RetrySchedule = delivery.key.type == nil ? .kicks : .webhooks
    let delay = schedule.delayMilliseconds(
      afterAttempts: delivery.attempts + 1, retryAfterSeconds: retryAfterSeconds,
      randomness: randomness)
    guard let delay, delivery.isWorthSending(at: now.adding(milliseconds: delay)) else {
      outcome = .givenUp(error: reason)
      return
    }
    outcome = .retry(afterMilliseconds: delay, error: reason)
  }
}

extension Delivery {
  /// An invitation is not sent long after it has expired, unless an operator asked for it.
  func isWorthSending(at time: Timestamp) -> Bool {
    guard !isForced, let seconds = key.type?.secondsAfterExpiry else { return true }
    return time <= call.expiresAt.adding(seconds: seconds)
  }
}
