// What the dispatcher needs of Redis, MySQL and this host.

import Calls
import Configuration
import Delivery
import Glibc
import Redis
import Storage
import System

extension DeliverySettings {
  init(_ configuration: Configuration) {
    let delivery = configuration.delivery
    self.init(
      receiver: delivery.webhooks.map { WebhookReceiver(url: $0.url, secrets: $0.secrets) },
      kicks: delivery.kicks.map {
        KickService(
          appId: configuration.agoraAppId, url: $0.url, fallback: $0.fallback,
          customerId: $0.customerId, customerSecret: $0.customerSecret)
      }, concurrency: delivery.concurrency)
  }
}

/// Listens for what every program publishes after a commit that a webhook may be due for. While Redis is away the
/// dispatcher's poll finds them.
func listen(to addresses: [RedisAddress], _ wake: WakeUp, _ counters: CounterSlot)
  throws(SystemError)
{
  _ = try Thread.start(name: "hints") {
    let subscriber = RedisSubscriber(
      addresses: addresses, channels: [Hints.recordChannel], counters: counters)
    while true {
      if (try? subscriber.next(timeoutMilliseconds: 1000)) ?? nil != nil { wake.raise() }
    }
  }
}

/// What an invitation and a missed call tell of their callee, as it is now.
func makeContext(
  _ configuration: Configuration, _ database: Database, _ counters: CounterSlot
) -> (Delivery) -> WebhookContext {
  let history = HistoryStore(database, hints: Hints(redis: nil))
  let roster = ConnectionRoster(
    RedisConnection(addresses: configuration.redis, counters: counters))
  return { delivery in
    var context = WebhookContext()
    switch delivery.key.type {
    case .invitation:
      // Unknown counts as none, so that the receiver wakes the device.
      context.calleeConnections = (try? roster.connections(of: delivery.call.calleeId)) ?? 0
    case .missed:
      context.unseenMissed = (try? history.unseenMissed(of: delivery.call.calleeId)) ?? 0
    default: break
    }
    return context
  }
}

/// A holder of leases is this host's, as it has run since it was booted, and a process.
struct HostName {
  private let boot: String

  init() throws(SystemError) {
    let text = try readFile("/proc/sys/kernel/random/boot_id", limit: 256)
    boot = String(decoding: text.prefix(36), as: UTF8.self)
  }

  func name(of process: Int32) -> String { "\(boot)/\(process)" }

  /// Whether a holder was a process of this host that is gone.
  func isGone(_ holder: String) -> Bool {
    let parts = holder.split(separator: "/")
    guard parts.count == 2, parts[0] == boot, let process = Int32(parts[1]) else { return false }
    return kill(process, 0) != 0 && errno == ESRCH
  }
}

/// What a predecessor that was killed was sending is due at once.
func releaseLeases(of host: HostName, _ queue: WebhookQueue, _ log: Log) {
  do { try queue.release(where: host.isGone) } catch {
    // They run out by themselves.
    log.warning("leases_not_released", ["error": .string("\(error)")])
  }
}
