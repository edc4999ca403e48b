// The loop of chattrix-webhooks (contract §8.2, §9.4): claims what is due, hands it to the senders, settles what
// came back. One thread with one connection to MySQL; what waits for other servers are the senders' threads.

import Calls
import HTTPClient
import JSON
import Storage
import System

/// What the dispatcher asks of the world around it, so that the program wires it.
package struct DispatcherServices {
  package var queue: WebhookQueue
  /// What is known of a user at the moment of sending.
  package var context: (Delivery) -> WebhookContext
  package var trust: TrustStore
  package var limits: HTTPExchangeLimits
  package var wake: WakeUp
  package var randomness: Randomness
  package var log: Log
  package var counters: DeliveryCounters

  package init(
    queue: WebhookQueue, context: @escaping (Delivery) -> WebhookContext, trust: TrustStore,
    limits: HTTPExchangeLimits = .init(), wake: WakeUp, randomness: Randomness = .system, log: Log,
    counters: DeliveryCounters
  ) {
    (self.queue, self.context, self.trust, self.limits) = (queue, context, trust, limits)
    (self.wake, self.randomness, self.log, self.counters) = (wake, randomness, log, counters)
  }
}

package final class Dispatcher {
  let settings: DeliverySettings
  let services: DispatcherServices
  let senders: SenderPool
  var places: Places
  var pace = Pace()
  /// What is not written yet, because the database is away.
  var unsettled: [(key: DeliveryKey, outcome: DeliveryOutcome)] = []

  private var errors = RepeatedError(intervalMilliseconds: 10_000)
  private var pausedUntil = Int64.min
  private var countDueAt = Int64.min
  private var isRoundDue = true

  /// The look for what is due that no notification told of.
  private static let pollMilliseconds: Int64 = 250
  /// After a failure of the database nothing is claimed for this time.
  private static let pauseMilliseconds: Int64 = 1000
  private static let countMilliseconds: Int64 = 5000

  var log: Log { services.log }

  package init(_ settings: DeliverySettings, _ services: DispatcherServices) throws(SystemError) {
    (self.settings, self.services) = (settings, services)
    senders = try SenderPool(
      maximum: settings.concurrency, trust: services.trust, limits: services.limits,
      wake: services.wake)
    places = Places(total: settings.concurrency)
  }

  /// Runs until one of `signals` comes, and then until the requests under way are settled.
  /// - Throws: `SystemError` where the loop itself is broken.
  package func run(until signals: borrowing SignalDescriptor) throws(SystemError) {
    var epoll = try Epoll(batch: 2)
    try epoll.add(signals.descriptor.raw, .read, tag: 0)
    try epoll.add(services.wake.event.descriptor.raw, .read, tag: 1)
    var stopBy: Int64?
    while true {
      let now = MonotonicClock.milliseconds()
      services.counters.alive(at: now)
      settle(at: now)
      if let stopBy, places.inFlight == 0 && unsettled.isEmpty || now >= stopBy { return }
      if stopBy == nil { dispatch(at: now) }
      try epoll.wait(timeoutMilliseconds: timeout(isStopping: stopBy != nil)) { _, _ in }
      services.wake.event.drain()
      while signals.next() != nil {
        stopBy = MonotonicClock.milliseconds() + Int64(services.limits.totalMilliseconds) + 1000
      }
    }
  }

  private func timeout(isStopping: Bool) -> Int32 {
    if isStopping { return 50 }
    let now = MonotonicClock.milliseconds()
    if pausedUntil > now { return Int32(clamping: pausedUntil - now) }
    // What is left after a full claim is claimed at once.
    if isRoundDue { return 0 }
    return Int32(clamping: min(Self.pollMilliseconds, pace.waitMilliseconds(at: now) ?? .max))
  }

  private func dispatch(at now: Int64) {
    guard now >= pausedUntil else { return }
    do {
      isRoundDue = try claim(at: now)
      if now >= countDueAt {
        countDueAt = now + Self.countMilliseconds
        services.counters.store(try services.queue.backlog())
      }
    } catch {
      isRoundDue = false
      failed(error, at: now)
    }
  }

  private func settle(at now: Int64) {
    for answer in senders.takeAnswers() { take(answer) }
    guard !unsettled.isEmpty, now >= pausedUntil else { return }
    do {
      try services.queue.settle(unsettled)
      unsettled = []
    } catch { failed(error, at: now) }
  }

  private func failed(_ error: any Error, at now: Int64) {
    pausedUntil = now + Self.pauseMilliseconds
    let text = "\(error)"
    if let suppressed = errors.report(text, at: now) {
      log.error(
        "webhook_queue_failed", ["error": .string(text), "suppressed": .int(Int64(suppressed))])
    }
  }
}
