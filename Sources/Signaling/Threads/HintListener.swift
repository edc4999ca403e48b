// The thread that listens to Redis for who has something new (design §3), of the users who are connected
// here. While Redis is away the poll alone does it.

import Redis
import Storage
import System

enum HintListener {
  /// Changes that are sent to Redis at a time, before what it has sent is read: at most so many confirmations
  /// wait there.
  private static let changesAtATime = 1000

  /// Ends with the subscriptions.
  static func start(
    _ addresses: [RedisAddress], subscriptions: HintSubscriptions, mailbox: Mailbox,
    redis: Availability, counters: CounterSlot
  ) throws(SystemError) {
    _ = try Thread.start(name: "hints") {
      let subscriber = RedisSubscriber(addresses: addresses, counters: counters)
      while true {
        do throws(RedisError) {
          let notice = try subscriber.next(
            timeoutMilliseconds: 1000, orReadable: subscriptions.changes.raw)
          if subscriber.isConnected { redis.succeeded() }
          switch notice {
          case .connected: mailbox.post(.hintsUnsubscribed)
          case .message(let channel, _):
            if let user = Hints.user(ofChannel: channel) { mailbox.post(.hint(user)) }
          case nil: break
          }
          let changes = subscriptions.changes.take(limit: changesAtATime)
          if changes.last == .end { return }
          try carryOut(changes, subscriber)
        } catch { redis.failed(error) }
      }
    }
  }

  /// Changes of one kind that follow each other are one command.
  private static func carryOut(
    _ changes: [HintSubscriptions.Change], _ subscriber: RedisSubscriber
  ) throws(RedisError) {
    var (added, removed): ([String], [String]) = ([], [])
    for change in changes {
      switch change {
      case .add(let user):
        try subscriber.unsubscribe(from: removed)
        removed = []
        added.append(Hints.channel(of: user))
      case .remove(let user):
        try subscriber.subscribe(to: added)
        added = []
        removed.append(Hints.channel(of: user))
      case .end: return
      }
    }
    try subscriber.subscribe(to: added)
    try subscriber.unsubscribe(from: removed)
  }
}
