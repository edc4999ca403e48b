// Agora's notices against each other, against clients and against the sweeper (contract §9.2).

import Calls
import MySQL
import System
import TestServers
import Testing

@testable import Storage

@Suite(.needsServer, .database, .serialized) struct MediaRaceTests {
  private let stores: Stores
  private static let rounds = 100

  init() throws { stores = try Stores() }

  private func connecting() throws -> [Call] {
    try stores.pairs(Self.rounds).map { try stores.connect($0.caller, $0.callee) }
  }

  private func updates(_ user: String) throws -> Int {
    try stores.eventTypes(user).filter { $0 == "call_status_updated" }.count
  }

  private func ends(_ user: String) throws -> Int {
    try stores.eventTypes(user).filter { $0 == "call_ended" }.count
  }

  @Test("§9.2 both join at the same moment, each notice twice: one transition, one event each")
  func bothJoin() throws {
    let calls = try connecting()
    let rounds = try race(threads: 4, rounds: calls.count) { round, thread, stores in
      let call = calls[round]
      let user = thread % 2 == 0 ? call.callerId : call.calleeId
      try stores.report(
        call, .joined(uid: stores.uid(user, in: call), sequence: 1),
        noticeId: "\(call.id) \(user)")
    }
    for (call, outcomes) in zip(calls, rounds) {
      for outcome in outcomes { try outcome.get() }
      #expect(try stores.find(call).status == .connected)
      #expect(try updates(call.callerId) == 1)
      #expect(try updates(call.calleeId) == 1)
    }
    try Consistency.check(stores.connection)
  }

  @Test("§9.2 both join while both clients report connected: reported once to each")
  func joinAgainstClients() throws {
    let calls = try connecting()
    let rounds = try race(threads: 4, rounds: calls.count) { round, thread, stores in
      let call = calls[round]
      let user = thread % 2 == 0 ? call.callerId : call.calleeId
      if thread < 2 { return try stores.joined(user, call, 1) }
      _ = try stores.calls.update(call.id, to: .connected, by: user, from: Origin())
    }
    for (call, outcomes) in zip(calls, rounds) {
      for outcome in outcomes { try outcome.get() }
      #expect(try stores.find(call).status == .connected)
      // A client's report is not told to itself.
      let told = try [call.callerId, call.calleeId].map { try updates($0) }
      #expect([[1, 1], [0, 1], [1, 0]].contains(told))
    }
    try Consistency.check(stores.connection)
  }

  @Test("§9.2 leaving, coming back and hanging up while sweepers run: one end each at the most")
  func leaveAgainstEnd() throws {
    let calls = try connecting()
    for call in calls {
      for user in [call.callerId, call.calleeId] { try stores.joined(user, call, 1) }
    }
    let rounds = try race(threads: 5, rounds: calls.count) { round, thread, stores in
      let call = calls[round]
      switch thread {
      case 0:
        try stores.left(call.callerId, call, 2)
        try stores.agePresence(of: call, seconds: 21)
      case 1: try stores.left(call.calleeId, call, 2, reason: 2)
      case 2: try stores.report(call, .destroyed, at: Timestamp.now().adding(seconds: 1))
      case 3 where round % 2 == 0:
        _ = try stores.calls.end(
          call.id, by: call.callerId, reason: .hangup, from: Origin())
      case 3: try stores.joined(call.calleeId, call, 3)
      default: _ = try stores.sweeper().sweep()
      }
    }
    for outcomes in rounds { for outcome in outcomes { try outcome.get() } }
    for (round, call) in calls.enumerated() {
      let after = try stores.find(call)
      let told = try [call.callerId, call.calleeId].map { try ends($0) }
      if round % 2 == 0 { #expect(after.status == .ended) }
      #expect(
        after.status == .ended ? [[1, 1], [0, 1]].contains(told) : told == [0, 0], "\(told)")
      _ = try stores.calls.end(call.id, by: call.callerId, reason: .hangup, from: Origin())
    }
    try Consistency.check(stores.connection)
  }

  @Test("§9.2 four sweepers at once: every call that nobody is in any more ends once")
  func manySweepers() throws {
    let calls = try connecting()
    for call in calls {
      try stores.joined(call.callerId, call, 1)
      try stores.left(call.callerId, call, 2)
    }
    try stores.connection.run(
      """
      UPDATE calls SET accepted_at = accepted_at - INTERVAL 60 SECOND,
        created_at = created_at - INTERVAL 60 SECOND WHERE deadline_at IS NOT NULL
      """)
    for call in calls { try stores.agePresence(of: call, seconds: 20) }
    let reports = try race(threads: 4) { _, _, stores in try stores.sweeper().sweep() }[0]
    var ended = try reports.reduce(0) { $0 + (try $1.get().media) }
    while ended < calls.count {
      let report = try stores.sweeper().sweep()
      try #require(report.media > 0)
      ended += report.media
    }
    #expect(ended == calls.count)
    for call in calls { #expect(try ends(call.callerId) == 1) }
    try Consistency.check(stores.connection)
  }
}
