// One call's timeline, as support reads it (chattrix-ctl calls show).

import Calls
import MySQL
import System
import TestServers
import Testing

@testable import Storage

@Suite(.needsServer, .database) struct CallTimelineTests {
  private let stores: Stores

  init() throws { stores = try Stores() }

  private func timeline(_ call: Call) throws -> CallTimeline {
    try CallTimeline(of: stores.find(call), stores.database)
  }

  /// `kind name user`, the participants by their part.
  private func lines(_ call: Call) throws -> [String] {
    try timeline(call).entries.map { entry in
      let user =
        entry.userId == call.callerId
        ? "caller" : entry.userId == call.calleeId ? "callee" : entry.userId ?? "-"
      return "\(entry.kind.rawValue) \(entry.name) \(user)"
    }
  }

  private func issueToken(_ call: Call, to user: String) throws {
    let now = Timestamp.now()
    _ = try stores.audit.append(
      TokenAudit.Entry(
        userId: user, channelId: call.channelId, action: .generate, role: "publisher",
        oldTokenPrefix: nil, requestId: "request-of-\(user)", issuedAt: now,
        expiresAt: now.adding(seconds: 60)),
      where: TokenAudit.Condition(statuses: [.connecting, .connected]))
  }

  @Test("a call that was answered, with tokens, quality and the devices that caused its events")
  func answered() throws {
    let (caller, callee) = try stores.pair()
    let call = try stores.ring(caller, callee)
    _ = try stores.calls.accept(call.id, by: callee, from: Origin(device: "phone"))
    try issueToken(call, to: callee)
    for (loss, roundTrip) in [(0.0, 40.0), (0.02, 60.0)] {
      var sample = QualitySample(networkQuality: loss == 0 ? .excellent : .poor)
      (sample.packetLossRate, sample.roundTripTime) = (loss, roundTrip)
      _ = try stores.quality.record(sample, callId: call.id, by: caller)
    }
    _ = try stores.calls.end(call.id, by: caller, reason: .hangup, from: Origin())
    let found = try timeline(call)
    let lines = try lines(call)
    #expect(lines.first == "call initiated caller")
    #expect(
      Set(lines) == [
        "call initiated caller", "event call_invitation callee", "call accepted callee",
        "event call_accepted caller", "event call_answered_elsewhere callee",
        "token generate callee", "event call_quality_warning callee", "call ended -",
        "event call_ended callee",
      ])
    let times = found.entries.map(\.time)
    #expect(times == times.sorted())
    func entry(_ name: String) throws -> CallTimeline.Entry {
      try #require(found.entries.first { $0.name == name })
    }
    #expect(try entry("accepted").device == "phone")
    #expect(try entry("call_answered_elsewhere").device == "phone")
    #expect(try entry("call_answered_elsewhere").details == "outcome=accepted")
    // How long it took the test.
    let duration = try stores.find(call).durationSeconds
    let reason = "endReason=hangup durationSeconds=\(duration)"
    #expect(try entry("call_ended").details == reason)
    #expect(try entry("ended").details == "status=ended \(reason)")
    #expect(try entry("generate").requestId == "request-of-\(callee)")
    #expect(try entry("generate").details?.hasPrefix("role=publisher uid=") == true)
    #expect(try entry("call_invitation").eventId == stores.events(callee).first?.eventId)

    let quality = try #require(found.quality.first)
    #expect(found.quality.map(\.userId) == [caller])
    #expect(quality.means.samples == 2)
    #expect(quality.means.averageScore == 4)
    #expect(quality.means.averagePacketLossRate == 0.01)
    #expect(quality.highestPacketLossRate == 0.02)
    #expect(quality.means.averageRoundTripTime == 50)
    #expect(quality.highestRoundTripTime == 60)
    #expect(quality.firstAt <= quality.lastAt)
  }

  @Test("other calls of the same participants are not in it")
  func others() throws {
    let (caller, callee) = try stores.pair()
    let first = try stores.ring(caller, callee)
    _ = try stores.calls.end(first.id, by: caller, reason: .hangup, from: Origin())
    let second = try stores.connect(caller, callee)
    try issueToken(second, to: caller)
    #expect(
      try lines(first) == [
        "call initiated caller", "event call_invitation callee", "call ended -",
        "event call_ended callee",
      ])
    #expect(try timeline(first).quality.isEmpty)
    #expect(try lines(second).contains("token generate caller"))
    #expect(try !lines(second).contains("call ended -"))
  }
}
