// After a commit, who has something new in the outbox: a Redis PUBLISH on each recipient's channel, which
// only the WebSocket servers that hold the user listen to, and one for the webhook program where there is
// one. A hint may be lost (the relay polls as well), so its failure is nobody's error (design §3).

import Calls
import Redis

package struct Hints {
  /// What a user's channel is named, before the id.
  private static let userPrefix = "chattrix:user:"
  /// Something was recorded that webhooks may be due for.
  package static let recordChannel = "chattrix:records"

  private let redis: RedisConnection?
  private let isRecording: Bool

  /// - Parameter recording: What changes of calls are recorded for; where it is empty no program waits for it.
  package init(redis: RedisConnection?, recording: Recording = []) {
    (self.redis, isRecording) = (redis, !recording.isEmpty)
  }

  package func publish(to recipients: some Collection<UserKey>) {
    if recipients.isEmpty { return }
    send(recipients.map { Hints.channel(of: $0.id) })
  }

  /// A call has been recorded that none of its participants is told of; a webhook may be due.
  package func publishRecord() { send([]) }

  private func send(_ channels: [String]) {
    guard let redis else { return }
    let all = isRecording ? channels + [Hints.recordChannel] : channels
    if all.isEmpty { return }
    _ = try? redis.pipeline(all.map { ["PUBLISH", RedisArgument($0), "1"] })
  }

  /// Where it is published that a user has something new.
  package static func channel(of userId: String) -> String { userPrefix + userId }

  /// Whose channel it is; nil where it is no user's.
  package static func user(ofChannel channel: [UInt8]) -> String? {
    guard channel.starts(with: userPrefix.utf8) else { return nil }
    return String(decoding: channel.dropFirst(userPrefix.utf8.count), as: UTF8.self)
  }
}
