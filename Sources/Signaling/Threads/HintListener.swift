// The thread that listens to Redis for who has something new (design §3). While Redis is away the
// poll alone does it.

import Redis
import Storage
import System

enum HintListener {
  static func start(
    _ addresses: [RedisAddress], mailbox: Mailbox, redis: Availability, counters: CounterSlot
  ) throws(SystemError) {
    _ = try Thread.start(name: "hints") {
      let subscriber = RedisSubscriber(
        addresses: addresses, channel: Hints.channel, counters: counters)
      while true {
        do throws(RedisError) {
          let message = try subscriber.next(timeoutMilliseconds: 1000)
          if subscriber.isConnected { redis.succeeded() }
          let users = message.map(Hints.recipients) ?? []
          if !users.isEmpty { mailbox.post(.hints(users)) }
        } catch { redis.failed(error) }
      }
    }
  }
}
