// What a pool of workers has done, counted in memory that they share, in Prometheus' text format
// (prometheus.io, "Exposition formats", 0.0.4).

import HTTP
import System

package struct Metrics {
  private let counters: SharedCounters?
  private let slot: Int

  /// After the worker's process id, which the supervisor keeps.
  private static let firstStatus = SupervisorLink.processIdCounter + 1
  private static let statusClasses = ["1xx", "2xx", "3xx", "4xx", "5xx"]
  private static let sumCounter = firstStatus + statusClasses.count
  private static let firstBucket = sumCounter + 1
  /// Upper bounds, in microseconds; the last bucket has none.
  private static let bounds = [
    250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000,
  ]

  /// - Parameters:
  ///   - counters: nil where no supervisor shares any: nothing is counted then.
  ///   - slot: This worker's.
  package init(counters: SharedCounters?, slot: Int) {
    (self.counters, self.slot) = (counters, slot)
  }

  package func count(_ response: HTTPResponse, microseconds: Int) {
    guard let counters else { return }
    counters.add(to: Self.firstStatus + min(max(response.status / 100 - 1, 0), 4), slot: slot)
    counters.add(UInt64(max(0, microseconds)), to: Self.sumCounter, slot: slot)
    let bucket = Self.bounds.firstIndex { microseconds <= $0 } ?? Self.bounds.count
    counters.add(to: Self.firstBucket + bucket, slot: slot)
  }

  package func exposition() -> String {
    guard let counters else { return "" }
    var text = """
      # HELP chattrix_requests_total Requests answered, by class of status.
      # TYPE chattrix_requests_total counter

      """
    for (index, name) in Self.statusClasses.enumerated() {
      let value = counters.sum(Self.firstStatus + index)
      text += "chattrix_requests_total{status=\"\(name)\"} \(value)\n"
    }
    text += durations(counters)
    text += pool(counters)
    text += deliveries(counters)
    return text
  }

  private func durations(_ counters: SharedCounters) -> String {
    var text = """
      # HELP chattrix_request_duration_seconds Time from a request's arrival at a worker to its answer.
      # TYPE chattrix_request_duration_seconds histogram

      """
    var total: UInt64 = 0
    for (index, bound) in Self.bounds.enumerated() {
      total += counters.sum(Self.firstBucket + index)
      text += "chattrix_request_duration_seconds_bucket{le=\"\(Double(bound) / 1e6)\"} \(total)\n"
    }
    total += counters.sum(Self.firstBucket + Self.bounds.count)
    let sum = Double(counters.sum(Self.sumCounter)) / 1e6
    return text + """
      chattrix_request_duration_seconds_bucket{le="+Inf"} \(total)
      chattrix_request_duration_seconds_sum \(sum)
      chattrix_request_duration_seconds_count \(total)

      """
  }

  private func pool(_ counters: SharedCounters) -> String {
    func value(_ counter: SupervisorCounter) -> UInt64 {
      counters.load(counter.rawValue, slot: SupervisorLink.supervisorSlot)
    }
    return """
      # HELP chattrix_workers Workers of the pool.
      # TYPE chattrix_workers gauge
      chattrix_workers{state="wanted"} \(value(.workersWanted))
      chattrix_workers{state="running"} \(value(.workersRunning))
      # HELP chattrix_worker_crashes_total Workers that ended without being asked to.
      # TYPE chattrix_worker_crashes_total counter
      chattrix_worker_crashes_total \(value(.crashes))
      # HELP chattrix_reloads_total Reloads that were carried through.
      # TYPE chattrix_reloads_total counter
      chattrix_reloads_total \(value(.reloads))
      # HELP chattrix_sweeps_total Passes of the sweeper.
      # TYPE chattrix_sweeps_total counter
      chattrix_sweeps_total \(value(.sweeps))
      # HELP chattrix_sweep_failures_total Passes of the sweeper that failed.
      # TYPE chattrix_sweep_failures_total counter
      chattrix_sweep_failures_total \(value(.sweepFailures))
      # HELP chattrix_sweep_lag_seconds How late the sweeper is with the oldest deadline.
      # TYPE chattrix_sweep_lag_seconds gauge
      chattrix_sweep_lag_seconds \(lagSeconds(value))
      # HELP chattrix_live_calls Calls that are not over, of all hosts.
      # TYPE chattrix_live_calls gauge
      chattrix_live_calls \(value(.liveCalls))

      """
  }
}

/// A pass that hangs measures nothing: then it is as late as that pass is old.
private func lagSeconds(_ value: (SupervisorCounter) -> UInt64) -> Double {
  let since = Int64(clamping: value(.sweepingSince))
  let sweeping = since == 0 ? 0 : max(0, Timestamp.now().milliseconds - since)
  return Double(max(Int64(clamping: value(.sweepLagMilliseconds)), sweeping)) / 1000
}

extension Metrics {
  /// What the webhook program counts; nothing where it does not run.
  private func deliveries(_ counters: SharedCounters) -> String {
    let slots = SupervisorLink.deliverySlots(counters)
    func value(_ counter: DeliveryCounter) -> UInt64 { counters.sum(counter.rawValue, over: slots) }
    guard value(.aliveAt) > 0 else { return "" }
    // Of the one that went round last: a slot keeps what its last process stored.
    let latest =
      slots.max {
        counters.load(DeliveryCounter.aliveAt.rawValue, slot: $0)
          < counters.load(DeliveryCounter.aliveAt.rawValue, slot: $1)
      } ?? slots.lowerBound
    func gauge(_ counter: DeliveryCounter) -> UInt64 {
      counters.load(counter.rawValue, slot: latest)
    }
    return """
      # HELP chattrix_webhook_requests_total Requests to the webhooks' receiver, by outcome.
      # TYPE chattrix_webhook_requests_total counter
      chattrix_webhook_requests_total{outcome="delivered"} \(value(.delivered))
      chattrix_webhook_requests_total{outcome="failed"} \(value(.failed))
      # HELP chattrix_webhooks_given_up_total Webhooks that are not tried any more.
      # TYPE chattrix_webhooks_given_up_total counter
      chattrix_webhooks_given_up_total \(value(.givenUp))
      # HELP chattrix_webhooks_pending Webhooks and kicks that wait to be sent, up to \
      \(DeliveryCounter.pendingLimit).
      # TYPE chattrix_webhooks_pending gauge
      chattrix_webhooks_pending \(gauge(.pending))
      # HELP chattrix_webhook_lag_seconds How long the oldest webhook that was not tried yet is overdue.
      # TYPE chattrix_webhook_lag_seconds gauge
      chattrix_webhook_lag_seconds \(Double(gauge(.lagMilliseconds)) / 1000)
      # HELP chattrix_webhook_delivery_seconds Time from a webhook's record to its delivery at the first attempt.
      # TYPE chattrix_webhook_delivery_seconds summary
      chattrix_webhook_delivery_seconds_sum \(Double(value(.firstMilliseconds)) / 1000)
      chattrix_webhook_delivery_seconds_count \(value(.firsts))
      # HELP chattrix_kick_requests_total Requests to Agora to clear a channel, by outcome.
      # TYPE chattrix_kick_requests_total counter
      chattrix_kick_requests_total{outcome="done"} \(value(.kicks))
      chattrix_kick_requests_total{outcome="failed"} \(value(.kicksFailed))
      # HELP chattrix_kicks_given_up_total Channels that Agora was asked in vain to clear.
      # TYPE chattrix_kicks_given_up_total counter
      chattrix_kicks_given_up_total \(value(.kicksGivenUp))

      """
  }
}

extension SharedCounters {
  /// One counter over the workers' slots.
  fileprivate func sum(_ counter: Int) -> UInt64 {
    sum(counter, over: SupervisorLink.workerSlots(self))
  }
}
