// Two that decide on one call at the same moment: exactly one of them does (design §2).

import Calls
import MySQL
import System
import TestServers
import Testing

@testable import Storage

@Suite(.needsServer, .database) struct AnswerRaceTests {
  private let stores: Stores
  private static let rounds = 200

  /// All ring from the beginning on, and the last of two hundred rounds may come a minute later.
  init() throws { stores = try Stores(ringSeconds: 3600) }

  private func ringing() throws -> [Call] {
    try stores.pairs(Self.rounds).map { try stores.ring($0.caller, $0.callee) }
  }

  private func kinds(_ calls: [Call]) throws -> [CallStatus: Int] {
    try calls.reduce(into: [:]) { $0[try stores.find($1).status, default: 0] += 1 }
  }

  private func endAll(_ calls: [Call]) throws {
    for call in calls {
      _ = try stores.calls.end(call.id, by: call.callerId, reason: .hangup, from: Origin())
      #expect(try stores.historyOf(call.callerId).count == 1)
      #expect(try stores.historyOf(call.calleeId).count == 1)
      #expect(try stores.line(call.callerId) == nil)
      #expect(try stores.line(call.calleeId) == nil)
    }
    try Consistency.check(stores.connection)
  }

  @Test("R2.2 accept against cancel: one of them, 200 times")
  func acceptAgainstCancel() throws {
    let calls = try ringing()
    let rounds = try race(threads: 2, rounds: calls.count) { round, thread, stores in
      let call = calls[round]
      return thread == 0
        ? try stores.calls.accept(call.id, by: call.calleeId, from: Origin(device: "phone"))
        : try stores.calls.end(call.id, by: call.callerId, reason: .hangup, from: Origin())
    }
    for (call, outcomes) in zip(calls, rounds) {
      // The end always counts; the accept was before it or is refused.
      let end = try outcomes[1].get()
      #expect(end.status == .ended)
      if outcomes[0].value != nil {
        #expect(end.endReason == .hangup)
        #expect(
          try stores.eventTypes(call.callerId) == ["call_accepted"])
      } else {
        #expect(outcomes[0].refusal == .alreadyEnded)
        #expect(end.endReason == .cancelled)
        #expect(try stores.eventTypes(call.calleeId) == ["call_invitation", "call_ended"])
      }
    }
    try endAll(calls)
  }

  @Test("R2.2 accept on two devices: one of them, 200 times")
  func acceptAgainstAccept() throws {
    let calls = try ringing()
    let rounds = try race(threads: 2, rounds: calls.count) { round, thread, stores in
      let call = calls[round]
      return try stores.calls.accept(
        call.id, by: call.calleeId, from: Origin(device: "device \(thread)"))
    }
    for (call, outcomes) in zip(calls, rounds) {
      #expect(outcomes.compactMap(\.value).count == 1)
      #expect(outcomes.compactMap(\.refusal) == [.alreadyAccepted])
      #expect(try stores.eventTypes(call.callerId) == ["call_accepted"])
      let winner = try #require(outcomes.firstIndex { $0.value != nil })
      #expect(try stores.find(call).acceptedDevice == "device \(winner)")
    }
    try endAll(calls)
  }

  @Test("R2.3 accept against reject: one of them, 200 times")
  func acceptAgainstReject() throws {
    let calls = try ringing()
    let rounds = try race(threads: 2, rounds: calls.count) { round, thread, stores in
      let call = calls[round]
      return thread == 0
        ? try stores.calls.accept(call.id, by: call.calleeId, from: Origin(device: "a"))
        : try stores.calls.reject(
          call.id, by: call.calleeId, reason: .declined, from: Origin(device: "b"))
    }
    for outcomes in rounds {
      #expect(outcomes.compactMap(\.value).count == 1)
      let loser = outcomes[0].value == nil ? CallError.alreadyEnded : .alreadyAccepted
      #expect(outcomes.compactMap(\.refusal) == [loser])
    }
    let kinds = try kinds(calls)
    #expect(kinds[.connecting, default: 0] + kinds[.rejected, default: 0] == Self.rounds)
    try endAll(calls)
  }

  @Test("R5.1 both hang up, and PATCH, at the same moment: one end, one event each at the most")
  func endAgainstEnd() throws {
    let calls = try ringing().map {
      try stores.calls.accept($0.id, by: $0.calleeId, from: Origin())
    }
    let rounds = try race(threads: 3, rounds: calls.count) { round, thread, stores in
      let call = calls[round]
      if thread == 2 {
        return try stores.calls.update(
          call.id, to: .connected, by: call.callerId, from: Origin()
        ).call
      }
      let user = thread == 0 ? call.callerId : call.calleeId
      return try stores.calls.end(call.id, by: user, reason: .hangup, from: Origin())
    }
    for (call, outcomes) in zip(calls, rounds) {
      let first = try outcomes[0].get()
      #expect(try outcomes[1].get() == first)
      if let refusal = outcomes[2].refusal {
        #expect(refusal == .invalidTransition(from: .ended, to: .connected))
      }
      let told =
        try stores.eventTypes(call.callerId) + (try stores.eventTypes(call.calleeId))
      #expect(told.filter { $0 == "call_ended" }.count == 1)
    }
    try endAll(calls)
  }
}
