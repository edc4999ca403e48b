// The stores of one thread on a suite's database, people who know each other in it, and threads that
// race.

import Calls
import Glibc
import MySQL
import Synchronization
import System
import TestServers
import Testing

@testable import Storage

/// One thread's stores.
struct Stores {
  let database: Database
  let calls: CallStore
  let quality: QualityStore
  let history: HistoryStore
  let statistics: StatisticsStore
  let outbox: Outbox
  let presence: Presence
  let people: People
  let audit: TokenAudit
  let media: MediaStore
  let availability: AvailabilityStore
  /// Beside the stores' own connection.
  let connection: MySQLConnection

  /// How long neither participant may be in Agora's channel.
  static let absenceSeconds = 20

  /// - Parameter options: Another account's, say; without them the suite's own.
  init(
    _ test: TestDatabase = .current, options: MySQLOptions? = nil, ringSeconds: Int = 60,
    maximumSeconds: Int = 7200, recording: Recording = []
  ) throws {
    let isOwn = options == nil
    let options = options ?? test.options
    database = Database(options, recording: recording)
    let hints = Hints(redis: nil)
    calls = CallStore(
      database, settings: CallSettings(ringSeconds: ringSeconds, maximumSeconds: maximumSeconds),
      hints: hints)
    quality = QualityStore(database, hints: hints)
    history = HistoryStore(database, hints: hints)
    statistics = StatisticsStore(database)
    outbox = Outbox(database)
    presence = Presence(database)
    people = People(database)
    audit = TokenAudit(database)
    media = MediaStore(database, hints: hints, absenceSeconds: Self.absenceSeconds)
    availability = AvailabilityStore(database)
    connection = try isOwn ? test.connect() : MySQLConnection(options)
  }

  func sweeper(quality: Int = 0, audit: Int = 0) -> Sweeper {
    Sweeper(
      database, hints: Hints(redis: nil),
      retention: RetentionSettings(qualityDays: quality, auditDays: audit),
      absenceSeconds: Self.absenceSeconds)
  }

  // MARK: People

  /// Adds users nobody else has, each an accepted contact of each.
  func users(_ names: String...) throws -> [String] {
    let suffix = Randomness.system.hexadecimal(bytes: 4)
    let ids = names.map { "\($0)-\(suffix)" }
    for (id, name) in zip(ids, names) {
      try people.add(Person(id: id, username: name, fullName: nil, avatar: "/\(name).png"))
    }
    for one in ids {
      for other in ids where other != one { try people.setContact(of: one, to: other, .accepted) }
    }
    return ids
  }

  func pair() throws -> (caller: String, callee: String) {
    let ids = try users("caller", "callee")
    return (ids[0], ids[1])
  }

  /// As many pairs as wanted, quickly.
  func pairs(_ count: Int) throws -> [(caller: String, callee: String)] {
    try connection.run("START TRANSACTION")
    let pairs = try (0..<count).map { _ in
      let suffix = Randomness.system.hexadecimal(bytes: 6)
      let pair = (caller: "a-\(suffix)", callee: "b-\(suffix)")
      for id in [pair.caller, pair.callee] {
        try connection.execute(
          "INSERT INTO users (id, username) VALUES (?, ?)", [.text(id), .text(id)])
      }
      for (one, other) in [(pair.caller, pair.callee), (pair.callee, pair.caller)] {
        try connection.execute(
          "INSERT INTO contacts VALUES (?, ?, 'ACCEPTED')", [.text(one), .text(other)])
      }
      return pair
    }
    try connection.run("COMMIT")
    return pairs
  }

  // MARK: Calls

  func ring(_ caller: String, _ callee: String, _ type: CallType = .video) throws -> Call {
    try calls.initiate(from: caller, to: callee, type: type, idempotencyKey: nil).details.call
  }

  func connect(_ caller: String, _ callee: String, _ type: CallType = .video) throws -> Call {
    let call = try ring(caller, callee, type)
    return try calls.accept(call.id, by: callee, from: Origin())
  }

  func find(_ call: Call) throws -> Call { try #require(try calls.find(call.id)) }

  /// Lets a call have been made earlier.
  func age(_ call: Call, seconds: Int) throws {
    try connection.execute(
      """
      UPDATE calls SET created_at = created_at - INTERVAL ? SECOND,
        expires_at = expires_at - INTERVAL ? SECOND,
        accepted_at = accepted_at - INTERVAL ? SECOND,
        connected_at = connected_at - INTERVAL ? SECOND,
        deadline_at = deadline_at - INTERVAL ? SECOND WHERE id = ?
      """, Array(repeating: .int(seconds), count: 5) + [.text(call.id)])
  }

  func events(_ user: String) throws -> [StoredEvent] {
    try outbox.events(of: user, after: 0, limit: 10_000)
  }

  func eventTypes(_ user: String) throws -> [String] { try events(user).map(\.type) }

  func historyOf(_ user: String, _ limit: Int = 100) throws -> [HistoryEntry] {
    var query = HistoryQuery()
    query.limit = limit
    return try page(of: user, query).entries
  }

  func page(of user: String, _ query: HistoryQuery) throws -> EntryPage {
    var entries: [HistoryEntry] = []
    let page = try history.page(of: user, query) {
      entries = []
    } entry: {
      try entries.append(HistoryEntry(row: $0))
    }
    return EntryPage(entries: entries, total: page.total, hasMore: page.hasMore, last: page.last)
  }

  /// The call that a user's line is busy with.
  func line(_ user: String) throws -> String? {
    try connection.queryRow("SELECT call_id FROM user_lines WHERE user_id = ?", [.text(user)])?
      .optionalText(0)
  }

  func count(_ sql: String, _ values: [MySQLValue] = []) throws -> Int {
    Int(try connection.queryRow(sql, values)?.int(0) ?? 0)
  }
}

/// An entry of a history as it is stored.
struct HistoryEntry: Sendable {
  let id: Int64
  let callId: String
  let remoteUserId: String
  /// nil where that is no user any more.
  let remote: Party?
  let callType: CallType
  let status: HistoryStatus
  let direction: CallDirection
  let endReason: EndReason
  let timestamp: Timestamp
  let durationSeconds: Int

  init(row: borrowing MySQLRow) throws {
    func text(_ column: HistoryColumn) -> String { row.text(column.rawValue) }
    id = row.int(HistoryColumn.id.rawValue)
    (callId, remoteUserId) = (text(.callId), text(.remoteUserId))
    if let name = HistoryColumn.name(in: row), let avatar = HistoryColumn.avatar(in: row) {
      remote = Party(
        id: row.text(HistoryColumn.partyId.rawValue), name: row.optionalText(name.rawValue),
        avatar: row.optionalText(avatar.rawValue))
    } else {
      remote = nil
    }
    callType = try #require(CallType(rawValue: text(.callType)))
    status = try #require(HistoryStatus(rawValue: text(.status)))
    direction = try #require(CallDirection(rawValue: text(.direction)))
    endReason = try #require(EndReason(rawValue: text(.endReason)))
    let time = row.time(HistoryColumn.timestamp.rawValue)
    timestamp = try #require(time)
    durationSeconds = Int(row.int(HistoryColumn.durationSeconds.rawValue))
  }
}

struct EntryPage {
  let entries: [HistoryEntry]
  let total: Int
  let hasMore: Bool
  let last: HistoryCursor?
}

/// What `body` is refused with, or nil.
func refusal(_ body: () throws -> Void) -> CallError? {
  do {
    try body()
    return nil
  } catch let error as CallError { return error } catch {
    Issue.record(error, "an error that is none of the contract's")
    return nil
  }
}

func isUnauthorized(_ error: CallError?) -> Bool {
  if case .unauthorizedAccess = error { true } else { false }
}

/// Whether `body`, which may run several times, takes no longer than this at least once: a machine that stands still for
/// seconds does not do so each time.
func isQuick(withinMilliseconds limit: Int64, _ body: () throws -> Void) rethrows -> Bool {
  for _ in 0..<5 {
    let started = MonotonicClock.milliseconds()
    try body()
    if MonotonicClock.milliseconds() - started < limit { return true }
  }
  return false
}

/// Runs `rounds` races of `threads` threads, each with stores of its own; all begin a round at once.
/// - Returns: Per round what became of each thread's run.
func race<Value: Sendable>(
  threads: Int, rounds: Int = 1, in database: TestDatabase = .current,
  _ body: @escaping @Sendable (_ round: Int, _ thread: Int, Stores) throws -> Value
) throws -> [[Result<Value, any Error>]] {
  let outcomes = Mutex<[[Int: Result<Value, any Error>]]>(Array(repeating: [:], count: rounds))
  let gate = Gate(threads: threads)
  let running = try (0..<threads).map { thread in
    try Thread.start(name: "race \(thread)") {
      let stores = Result { try Stores(database) }
      _ = try? stores.get().database.ping()
      for round in 0..<rounds {
        gate.pass()
        let outcome = Result { try body(round, thread, try stores.get()) }
        outcomes.withLock { $0[round][thread] = outcome }
      }
    }
  }
  for thread in running { thread.join() }
  return outcomes.withLock { $0 }.map { round in
    (0..<threads).compactMap { round[$0] }
  }
}

/// Lets threads through only all together, again and again; who waits leaves the processor to the database.
/// `@unchecked` because of the pointer: a barrier is made to be shared by threads (pthread_barrier_wait(3)).
private final class Gate: @unchecked Sendable {
  private let barrier = UnsafeMutablePointer<pthread_barrier_t>.allocate(capacity: 1)

  init(threads: Int) { pthread_barrier_init(barrier, nil, UInt32(threads)) }

  deinit {
    pthread_barrier_destroy(barrier)
    barrier.deallocate()
  }

  func pass() { pthread_barrier_wait(barrier) }
}

extension Result {
  var value: Success? { try? get() }

  var refusal: CallError? {
    if case .failure(let error) = self { error as? CallError } else { nil }
  }
}
