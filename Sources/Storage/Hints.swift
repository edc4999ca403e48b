// After a commit, who has something new in the outbox: a Redis PUBLISH with the recipients' ids. A
// hint may be lost (the relay polls as well), so its failure is nobody's error (design §3).

import Calls
import JSON
import Redis

package struct Hints {
  /// A JSON array of user ids is published here.
  package static let channel = "chattrix:events"

  private let redis: RedisConnection?

  package init(redis: RedisConnection?) { self.redis = redis }

  package func publish(to recipients: some Collection<UserKey>) {
    if recipients.isEmpty { return }
    send(recipients)
  }

  /// A call has been recorded that none of its participants is told of; a webhook may be due.
  package func publishRecord() { send([UserKey]()) }

  private func send(_ recipients: some Collection<UserKey>) {
    guard let redis else { return }
    let users = JSONValue.array(recipients.map { .string($0.id) })
    _ = try? redis.command("PUBLISH", .init(Hints.channel), .init(users.serialized()))
  }

  /// Reads a published message; empty where it is not one of ours.
  package static func recipients(in message: [UInt8]) -> [String] {
    guard let value = try? JSONParser.parse(message), case .array(let users) = value else {
      return []
    }
    return users.compactMap(\.stringValue)
  }
}
