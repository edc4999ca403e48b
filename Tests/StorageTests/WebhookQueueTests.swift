// The queue of requests to servers elsewhere, on a real database.

import Calls
import MySQL
import System
import TestServers
import Testing

@testable import Storage

@Suite("Contract 8.2: the queue of webhooks", .needsServer, .database, .serialized)
struct WebhookQueueTests {
  private static let everything = Recording(WebhookType.allCases).union(.kick)

  /// With an empty queue: the tests of this suite run one after the other.
  private func stores() throws -> Stores {
    let stores = try Stores(recording: Self.everything)
    try stores.connection.run("DELETE FROM webhook_events")
    return stores
  }

  private func queue(_ owner: String = "one/1") -> WebhookQueue {
    WebhookQueue(Database(TestDatabase.current.options), owner: owner)
  }

  private func claim(_ queue: WebhookQueue, of call: Call, limit: Int = 32) throws -> [Delivery] {
    try queue.claim(.fresh, limit: limit, inFlight: 0).filter { $0.call.id == call.id }
  }

  private func types(_ stores: Stores, _ call: Call) throws -> [String] {
    try stores.connection.map(
      "SELECT event_type FROM webhook_events WHERE call_id = ? ORDER BY sequence",
      [.text(call.id)]
    ) { $0.text(0) }
  }

  @Test("They are written in the transaction of the change")
  func recorded() throws {
    let stores = try stores()
    let (caller, callee) = try stores.pair()
    let call = try stores.ring(caller, callee)
    #expect(try types(stores, call) == ["call.invitation"])
    #expect(throws: CallError.self) {
      try stores.calls.accept(call.id, by: caller, from: Origin())
    }
    #expect(try types(stores, call) == ["call.invitation"])
    _ = try stores.calls.accept(call.id, by: callee, from: Origin())
    _ = try stores.calls.endByOperator(call.id)
    let all = ["call.invitation", "call.stopped_ringing", "call.ended", "agora.kick"]
    #expect(try types(stores, call) == all)
  }

  @Test("A busy callee: missed and ended, no invitation")
  func busy() throws {
    let stores = try stores()
    let users = try stores.users("caller", "callee", "other")
    let call = try stores.ring(users[0], users[1])
    #expect(throws: CallError.self) { try stores.ring(users[2], users[1]) }
    let refused = try #require(
      try stores.connection.queryRow(
        "SELECT id FROM calls WHERE caller_id = ?", [.text(users[2])])?.text(0))
    let rows = try stores.count(
      "SELECT COUNT(*) FROM webhook_events WHERE call_id = ? AND sequence IN (3, 4)",
      [.text(refused)])
    #expect(rows == 2)
    _ = try stores.calls.end(call.id, by: users[0], reason: .hangup, from: Origin())
  }

  @Test("An event whose call is not in sight yet stays until it is")
  func callNotInSight() throws {
    let stores = try stores()
    let (caller, callee) = try stores.pair()
    let call = try stores.ring(caller, callee)
    func move(_ from: String, _ to: String) throws {
      try stores.connection.execute(
        "UPDATE calls SET id = ? WHERE id = ?", [.text(to), .text(from)])
    }
    let away = "00000000-0000-7000-8000-000000000000"
    try move(call.id, away)
    #expect(try claim(queue(), of: call).isEmpty)
    #expect(try state(stores, call) == "pending")
    try move(away, call.id)
    #expect(try claim(queue(), of: call).count == 1)
    _ = try stores.calls.end(call.id, by: caller, reason: .hangup, from: Origin())
  }

  @Test("Without a setting nothing is written")
  func nothing() throws {
    let stores = try Stores()
    let (caller, callee) = try stores.pair()
    let call = try stores.connect(caller, callee)
    _ = try stores.calls.endByOperator(call.id)
    #expect(try types(stores, call) == [])
  }

  @Test("One event of a call at a time, in order, each when the one before it is settled")
  func order() throws {
    let stores = try stores()
    let queue = queue()
    let (caller, callee) = try stores.pair()
    let call = try stores.ring(caller, callee)
    _ = try stores.calls.end(call.id, by: caller, reason: .hangup, from: Origin())
    for sequence in 1...4 {
      let claimed = try claim(queue, of: call)
      #expect(claimed.map(\.key.sequence) == [sequence])
      #expect(try claim(queue, of: call).isEmpty, "nothing overtakes it")
      try queue.settle([(claimed[0].key, .delivered)])
    }
    #expect(try claim(queue, of: call).isEmpty)
    #expect(
      try stores.count(
        "SELECT COUNT(*) FROM webhook_events WHERE call_id = ? AND state = 'delivered'",
        [.text(call.id)]) == 4)
  }

  @Test("A retry holds back its successors until it is settled; what is given up does not")
  func retry() throws {
    let stores = try stores()
    let queue = queue()
    let (caller, callee) = try stores.pair()
    let call = try stores.ring(caller, callee)
    let first = try claim(queue, of: call)
    try queue.settle([(first[0].key, .retry(afterMilliseconds: 60_000, error: "HTTP status 500"))])
    _ = try stores.calls.end(call.id, by: caller, reason: .hangup, from: Origin())
    #expect(try claim(queue, of: call).isEmpty)
    #expect(try queue.claim(.retry, limit: 32, inFlight: 0).isEmpty)
    try stores.connection.execute(
      "UPDATE webhook_events SET due_at = due_at - INTERVAL 61 SECOND WHERE call_id = ?",
      [.text(call.id)])
    let again = try queue.claim(.retry, limit: 32, inFlight: 0).filter { $0.call.id == call.id }
    #expect(again.map(\.attempts) == [1])
    #expect(try claim(queue, of: call).isEmpty)
    try queue.settle([(again[0].key, .givenUp(error: "HTTP status 410"))])
    #expect(try claim(queue, of: call).map(\.key.sequence) == [2])
  }

  @Test(
    "Of two owners one gets an event; a lease that ran out is claimed by the other and settled by it alone"
  )
  func leases() throws {
    let stores = try stores()
    let (one, other) = (queue("one/1"), queue("other/2"))
    let (caller, callee) = try stores.pair()
    let call = try stores.ring(caller, callee)
    let mine = try claim(one, of: call)
    #expect(mine.count == 1)
    #expect(try claim(other, of: call).isEmpty)
    try stores.connection.execute(
      "UPDATE webhook_events SET due_at = UTC_TIMESTAMP(3) WHERE call_id = ?", [.text(call.id)])
    #expect(try claim(other, of: call).count == 1)
    try one.settle([(mine[0].key, .givenUp(error: "late"))])
    #expect(try state(stores, call) == "pending")
    try other.settle([(mine[0].key, .delivered)])
    #expect(try state(stores, call) == "delivered")
  }

  private func state(_ stores: Stores, _ call: Call) throws -> String? {
    try stores.connection.queryRow(
      "SELECT state FROM webhook_events WHERE call_id = ? AND sequence = 1", [.text(call.id)])?
      .text(0)
  }

  @Test("Leases of holders that are gone are released, those of others are not")
  func release() throws {
    let stores = try stores()
    let (gone, alive) = (queue("host/1"), queue("host/2"))
    let calls = try (0..<2).map { _ in
      let (caller, callee) = try stores.pair()
      return try stores.ring(caller, callee)
    }
    // A claim takes the oldest first.
    #expect(try claim(gone, of: calls[0], limit: 1).count == 1)
    #expect(try claim(alive, of: calls[1], limit: 1).count == 1)
    try queue("host/3").release { $0 == "host/1" }
    let again = try queue("host/3").claim(.fresh, limit: 32, inFlight: 0).map(\.call.id)
    #expect(again.contains(calls[0].id))
    #expect(!again.contains(calls[1].id))
  }

  @Test("Eight threads, three hundred events: each is claimed once, each call in order")
  func concurrency() throws {
    let stores = try stores()
    let pairs = try stores.pairs(75)
    var expected: Set<String> = []
    for (caller, callee) in pairs {
      let call = try stores.ring(caller, callee)
      _ = try stores.calls.end(call.id, by: caller, reason: .hangup, from: Origin())
      expected.insert(call.id)
    }
    let (wanted, options) = (expected, TestDatabase.current.options)
    let outcomes = try race(threads: 8) { _, thread, _ -> [DeliveryKey] in
      let queue = WebhookQueue(Database(options), owner: "race/\(thread)")
      var keys: [DeliveryKey] = []
      var idle = 0
      while idle < 20 {
        let claimed = try queue.claim(.fresh, limit: 5, inFlight: 0)
          .filter { wanted.contains($0.call.id) }
        idle = claimed.isEmpty ? idle + 1 : 0
        keys += claimed.map(\.key)
        try queue.settle(claimed.map { ($0.key, .delivered) })
      }
      return keys
    }
    let all = try outcomes[0].flatMap { try $0.get() }
    #expect(all.count == 300)
    #expect(Set(all).count == 300)
  }

  @Test("What was given up is listed, and sent again from the first attempt on")
  func archive() throws {
    let stores = try stores()
    let queue = queue()
    let archive = WebhookArchive(stores.database)
    let (caller, callee) = try stores.pair()
    let call = try stores.ring(caller, callee)
    let key = DeliveryKey(callId: call.id, sequence: 1)
    #expect(DeliveryKey(id: key.id) == key)
    #expect(DeliveryKey(id: "no-id") == nil)
    #expect(try claim(queue, of: call).count == 1)
    let long = String(repeating: "\u{1F600}", count: 400)
    try queue.settle([(key, .givenUp(error: long))])
    let listed = try archive.list(failed: true, limit: 100).first { $0.id == key.id }
    #expect(listed?.error?.unicodeScalars.count == 255)
    #expect(listed?.dueAt == nil)
    #expect(try archive.retry(key) == 1)
    let again = try claim(queue, of: call)
    #expect(again.map(\.attempts) == [0])
    #expect(again.map(\.isForced) == [true])
    #expect(try archive.list(failed: true, limit: 100).allSatisfy { $0.id != key.id })
  }

  @Test("An event of a call that was deleted is given up after a minute")
  func deletedCall() throws {
    let stores = try stores()
    let queue = queue()
    let (caller, callee) = try stores.pair()
    let call = try stores.ring(caller, callee)
    try stores.connection.execute("DELETE FROM calls WHERE id = ?", [.text(call.id)])
    try stores.connection.run(
      "UPDATE webhook_events SET created_at = created_at - INTERVAL 61 SECOND")
    #expect(try claim(queue, of: call).isEmpty)
    #expect(try state(stores, call) == "failed")
  }

  @Test("Webhooks are kept for 30 days after they were settled")
  func retention() throws {
    let stores = try stores()
    let queue = queue()
    let (caller, callee) = try stores.pair()
    let call = try stores.ring(caller, callee)
    try queue.settle(try claim(queue, of: call).map { ($0.key, .delivered) })
    func rows() throws -> Int { try types(stores, call).count }
    try stores.connection.execute(
      "UPDATE webhook_events SET settled_at = settled_at - INTERVAL 29 DAY WHERE call_id = ?",
      [.text(call.id)])
    _ = try stores.sweeper().sweep()
    #expect(try rows() == 1)
    try stores.connection.execute(
      "UPDATE webhook_events SET settled_at = settled_at - INTERVAL 2 DAY WHERE call_id = ?",
      [.text(call.id)])
    _ = try stores.sweeper().sweep()
    #expect(try rows() == 0)
  }
}
