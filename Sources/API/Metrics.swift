// What this host's programs have done (`/metrics`, contract §1): supervisor, workers and webhook program count in memory
// that they share, and the WebSocket server is asked for its own page.

import Exposition
import Storage
import System

package struct Metrics {
  private let counters: SharedCounters?
  private let routes: [RequestCounters.RouteName]
  private let socket: Int32?
  private let signaling: SignalingPage?

  /// - Parameters:
  ///   - counters: nil where no supervisor shares any: nothing is counted then.
  ///   - routes: Of the workers, by number.
  ///   - socket: The descriptor on which the workers listen, if any.
  ///   - signaling: Where the WebSocket server's page comes from; nil for a page without it.
  package init(
    counters: SharedCounters?, routes: [RequestCounters.RouteName] = [], socket: Int32? = nil,
    signaling: SignalingPage? = nil
  ) {
    self.counters = counters
    self.routes = routes
    self.socket = socket
    self.signaling = signaling
  }

  package func exposition() -> String {
    guard let counters else { return "" }
    var page = Exposition()
    let workers = CountingProgram("worker", SupervisorLink.workerSlots(counters))
    let supervisor = CountingProgram(
      "supervisor", SupervisorLink.supervisorSlot..<SupervisorLink.supervisorSlot + 1)
    let webhooks = CountingProgram("webhooks", SupervisorLink.deliverySlots(counters))
    RequestCounters.write(counters, workers, routes: routes, to: &page)
    writePool(counters, to: &page)
    writeSweeper(counters, to: &page)
    CallCounters.write(counters, [workers, supervisor], to: &page)
    StoreCounters.write(counters, [workers, supervisor, webhooks], to: &page)
    writeDeliveries(counters, to: &page)
    if let signaling { writeSignaling(signaling.read(), to: &page) }
    return page.text
  }

  /// - Parameter theirs: nil where the WebSocket server does not answer.
  private func writeSignaling(_ theirs: Exposition?, to page: inout Exposition) {
    page.gauge(
      "chattrix_signaling_up", "Whether the WebSocket server answers with its metrics.",
      theirs == nil ? 0 : 1)
    if let theirs { page.merge(theirs) }
  }

  private func writePool(_ counters: SharedCounters, to page: inout Exposition) {
    let value = supervisorValue(counters)
    let running = value(.workersRunning)
    let busy = busyWorkers(counters)
    page.gauges(
      "chattrix_workers", "Workers of the pool.",
      [
        ([("state", "wanted")], value(.workersWanted)), ([("state", "running")], running),
        ([("state", "busy")], busy), ([("state", "idle")], running > busy ? running - busy : 0),
      ])
    page.counter("chattrix_worker_starts_total", "Workers that were started.", value(.starts))
    page.counter(
      "chattrix_worker_crashes_total", "Workers that ended without being asked to.", value(.crashes)
    )
    page.counter("chattrix_reloads_total", "Reloads that were carried through.", value(.reloads))
    if let length = socket.flatMap({ AcceptQueue.length(of: $0) }) {
      page.gauge(
        "chattrix_accept_queue_length", "Connections of nginx that no worker has accepted yet.",
        length)
    }
  }

  /// Workers with a request of the API in hand.
  private func busyWorkers(_ counters: SharedCounters) -> UInt64 {
    SupervisorLink.workerSlots(counters).reduce(0) { count, slot in
      let isBusy =
        counters.load(SupervisorLink.processIdCounter, slot: slot) != 0
        && counters.load(WorkerCounter.busySince.rawValue, slot: slot) != 0
      return isBusy ? count + 1 : count
    }
  }

  private func writeSweeper(_ counters: SharedCounters, to page: inout Exposition) {
    let value = supervisorValue(counters)
    page.counter("chattrix_sweeps_total", "Passes of the sweeper.", value(.sweeps))
    page.counter(
      "chattrix_sweep_failures_total", "Passes of the sweeper that failed.", value(.sweepFailures))
    page.gauge(
      "chattrix_sweep_lag_seconds", "How late the sweeper is with the oldest deadline.",
      lagSeconds(value))
    page.gauge("chattrix_live_calls", "Calls that are not over, of all hosts.", value(.liveCalls))
  }

  private func supervisorValue(_ counters: SharedCounters) -> (SupervisorCounter) -> UInt64 {
    { counters.load($0.rawValue, slot: SupervisorLink.supervisorSlot) }
  }

  /// A pass that hangs measures nothing: then it is as late as that pass is old.
  private func lagSeconds(_ value: (SupervisorCounter) -> UInt64) -> Double {
    let since = Int64(clamping: value(.sweepingSince))
    let sweeping = since == 0 ? 0 : max(0, Timestamp.now().milliseconds - since)
    return Double(max(Int64(clamping: value(.sweepLagMilliseconds)), sweeping)) / 1000
  }
}

extension Metrics {
  /// What the webhook program counts; nothing where it does not run.
  private func writeDeliveries(_ counters: SharedCounters, to page: inout Exposition) {
    let slots = SupervisorLink.deliverySlots(counters)
    func value(_ counter: DeliveryCounter) -> UInt64 { counters.sum(counter.rawValue, over: slots) }
    guard value(.aliveAt) > 0 else { return }
    // Of the one that went round last: a slot keeps what its last process stored.
    let latest =
      slots.max {
        counters.load(DeliveryCounter.aliveAt.rawValue, slot: $0)
          < counters.load(DeliveryCounter.aliveAt.rawValue, slot: $1)
      } ?? slots.lowerBound
    func gauge(_ counter: DeliveryCounter) -> UInt64 {
      counters.load(counter.rawValue, slot: latest)
    }
    page.counters(
      "chattrix_webhook_requests_total", "Requests to the webhooks' receiver, by outcome.",
      [([("outcome", "delivered")], value(.delivered)), ([("outcome", "failed")], value(.failed))])
    page.counter(
      "chattrix_webhooks_given_up_total", "Webhooks that are not tried any more.", value(.givenUp))
    page.gauge(
      "chattrix_webhooks_pending",
      "Webhooks and kicks that wait to be sent, up to \(DeliveryCounter.pendingLimit).",
      gauge(.pending))
    page.gauge(
      "chattrix_webhook_lag_seconds",
      "How long the oldest webhook that was not tried yet is overdue.",
      Double(gauge(.lagMilliseconds)) / 1000)
    page.summary(
      "chattrix_webhook_delivery_seconds",
      "Time from a webhook's record to its delivery at the first attempt.",
      seconds: Double(value(.firstMilliseconds)) / 1000, count: value(.firsts))
    page.counters(
      "chattrix_kick_requests_total", "Requests to Agora to clear a channel, by outcome.",
      [([("outcome", "done")], value(.kicks)), ([("outcome", "failed")], value(.kicksFailed))])
    page.counter(
      "chattrix_kicks_given_up_total", "Channels that Agora was asked in vain to clear.",
      value(.kicksGivenUp))
  }
}
