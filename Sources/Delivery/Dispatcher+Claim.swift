// From what is due to requests under way.

import Calls
import HTTP
import JSON
import Storage
import System

extension Dispatcher {
  /// Claims as much as there are places for.
  /// - Returns: Whether more may be due.
  func claim(at now: Int64) throws -> Bool {
    var isMoreDue = false
    for queue in places.order() {
      var room = places.room(for: queue)
      switch queue {
      case .fresh, .retry: if settings.receiver == nil { continue }
      case .kick:
        if settings.kicks == nil { continue }
        room = min(room, pace.allowed(at: now))
      }
      guard room > 0 else { continue }
      let claimed = try services.queue.claim(queue, limit: room, inFlight: places.inFlight)
      isMoreDue = isMoreDue || claimed.count == min(room, WebhookQueue.batch)
      for delivery in claimed { try start(delivery, queue, at: now) }
    }
    return isMoreDue
  }

  private func start(_ delivery: Delivery, _ queue: DeliveryQueue, at now: Int64) throws {
    guard let request = try request(for: delivery, queue) else { return }
    if queue == .kick { pace.started(at: now) }
    try senders.submit(request)
    places.take(queue)
  }

  /// - Returns: nil where it is not worth sending any more, which is noted.
  private func request(for delivery: Delivery, _ queue: DeliveryQueue) throws -> OutgoingRequest? {
    guard let type = delivery.key.type else { return try kick(delivery) }
    guard delivery.isWorthSending(at: delivery.now), let receiver = settings.receiver else {
      giveUp(delivery, "too late: the call stopped ringing long ago")
      return nil
    }
    return OutgoingRequest(
      delivery: delivery, queue: queue, url: receiver.url,
      body: delivery.body(of: type, services.context(delivery)), headers: [],
      secrets: receiver.secrets)
  }

  private func kick(_ delivery: Delivery) throws -> OutgoingRequest? {
    guard let service = settings.kicks else { return nil }
    let lastExpiry = try services.queue.lastTokenExpiry(of: delivery.call)
    let body = KickBody.make(
      appId: service.appId, channelId: delivery.call.channelId,
      seconds: KickBody.seconds(until: lastExpiry, from: delivery.now))
    let isFirst = delivery.attempts < RetrySchedule.kicksAtFirstAddress
    return OutgoingRequest(
      delivery: delivery, queue: .kick, url: isFirst ? service.url : service.fallback, body: body,
      headers: [("Authorization", service.authorization)], secrets: [])
  }

  // MARK: Back from the senders

  func take(_ answer: Answer) {
    let delivery = answer.request.delivery
    places.give(answer.request.queue)
    let verdict = Verdict(answer, at: .now(), randomness: services.randomness)
    unsettled.append((delivery.key, verdict.outcome))
    let isKick = answer.request.queue == .kick
    services.counters.count(verdict.outcome, isKick: isKick)
    switch verdict.outcome {
    case .delivered:
      if !isKick, delivery.attempts == 0 {
        services.counters.first(
          milliseconds: Timestamp.now().milliseconds - delivery.createdAt.milliseconds)
      }
      log.info(isKick ? "kicked" : "webhook_delivered", fields(answer, verdict))
    case .retry:
      log.warning(isKick ? "kick_failed" : "webhook_failed", fields(answer, verdict))
    case .givenUp:
      log.error(isKick ? "kick_given_up" : "webhook_given_up", fields(answer, verdict))
    }
  }

  private func giveUp(_ delivery: Delivery, _ reason: String) {
    unsettled.append((delivery.key, .givenUp(error: reason)))
    services.counters.count(.givenUp(error: reason), isKick: false)
    log.error(
      "webhook_given_up",
      [
        "id": .string(delivery.key.id), "type": .string(delivery.key.type?.rawValue ?? ""),
        "reason": .string(reason), "attempt": .int(Int64(delivery.attempts)),
      ])
  }

  private func fields(_ answer: Answer, _ verdict: Verdict) -> Log.Fields {
    let delivery = answer.request.delivery
    var nextMilliseconds: Int64?
    if case .retry(let milliseconds, _) = verdict.outcome { nextMilliseconds = milliseconds }
    return [
      "id": .string(delivery.key.id), "callId": .string(delivery.call.id),
      "type": .string(delivery.key.type?.rawValue ?? "agora.kick"),
      "reason": .string(verdict.reason), "attempt": .int(Int64(delivery.attempts + 1)),
      "milliseconds": .int(answer.milliseconds),
      "nextTryMilliseconds": nextMilliseconds.map { .int($0) } ?? .null,
    ]
  }
}
