// How many sockets a user has open, over all hosts (contract §8.1: calleeConnections): a hash a user in Redis, a
// field for each WebSocket server, which counts only while that server says that it lives.

import Redis

package struct ConnectionRoster {
  private let redis: RedisConnection

  /// A server that has said nothing for so long is gone.
  package static let livenessSeconds = 6
  /// Of a user's hash; it is written anew before.
  package static let userSeconds = 300

  package init(_ redis: RedisConnection) { self.redis = redis }

  private static func key(user: String) -> String { "chattrix:sockets:\(user)" }
  private static func key(server: String) -> String { "chattrix:signaling:\(server)" }

  /// Notes that a server lives.
  /// - Throws: `RedisError`.
  package func keepAlive(server: String) throws {
    _ = try redis.command(
      "SETEX", .init(Self.key(server: server)), .init(Self.livenessSeconds), "1")
  }

  /// A server's sockets are closed.
  package func leave(server: String) throws {
    _ = try redis.command("DEL", .init(Self.key(server: server)))
  }

  // KEYS: users' hashes; ARGV[1]: the server, ARGV[2]: seconds, then a count for each key.
  private static let noteScript = """
    for i, key in ipairs(KEYS) do
      if ARGV[i + 2] == '0' then
        redis.call('HDEL', key, ARGV[1])
      else
        redis.call('HSET', key, ARGV[1], ARGV[i + 2])
        redis.call('EXPIRE', key, ARGV[2])
      end
    end
    return 1
    """

  /// Notes how many sockets users have on a server, in one round trip.
  package func note(_ counts: [(userId: String, sockets: Int)], server: String) throws {
    if counts.isEmpty { return }
    var arguments: [RedisArgument] = ["EVAL", .init(Self.noteScript), .init(counts.count)]
    arguments += counts.map { .init(Self.key(user: $0.userId)) }
    arguments += [.init(server), .init(Self.userSeconds)]
    arguments += counts.map { .init($0.sockets) }
    _ = try redis.command(arguments)
  }

  /// Of servers that live.
  package func connections(of userId: String) throws -> Int {
    let reply = try redis.command("HGETALL", .init(Self.key(user: userId)))
    let texts = (reply.elements ?? []).map { String(decoding: $0.bytes ?? [], as: UTF8.self) }
    var total = 0
    for index in stride(from: 0, to: texts.count - 1, by: 2) {
      let count = Int(texts[index + 1]) ?? 0
      guard count > 0 else { continue }
      let lives =
        try redis.command("EXISTS", .init(Self.key(server: texts[index]))).integerValue == 1
      if lives { total += count }
    }
    return total
  }
}
