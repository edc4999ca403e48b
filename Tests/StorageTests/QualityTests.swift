// Quality samples and their means (R5.5, R7, contract §7.4).

import Calls
import JSON
import MySQL
import System
import TestServers
import Testing

@testable import Storage

@Suite(.needsServer, .database) struct QualityTests {
  private let stores: Stores

  init() throws { stores = try Stores() }

  private func record(
    _ call: Call, _ quality: NetworkQuality, loss: Double? = nil, roundTrip: Double? = nil,
    by user: String? = nil
  ) throws {
    var sample = QualitySample(networkQuality: quality)
    (sample.packetLossRate, sample.roundTripTime) = (loss, roundTrip)
    _ = try stores.quality.record(sample, callId: call.id, by: user ?? call.callerId)
  }

  @Test("R7.4 poor, bad and veryBad warn the other participant; the others do not")
  func warnings() throws {
    let (caller, callee) = try stores.pair()
    let call = try stores.connect(caller, callee)
    for quality in NetworkQuality.allCases { try record(call, quality) }
    let warnings = try stores.events(callee).filter { $0.type == "call_quality_warning" }
    #expect(
      try warnings.map { try JSONParser.parse($0.data)["networkQuality"] } == [
        "poor", "bad", "veryBad",
      ])
    #expect(
      try JSONParser.parse(warnings[0].data) == [
        "callId": .string(call.id), "participantId": .string(caller), "networkQuality": "poor",
      ])
    #expect(try stores.eventTypes(caller) == ["call_accepted"])
    try record(call, .bad, by: callee)
    #expect(try stores.eventTypes(caller) == ["call_accepted", "call_quality_warning"])
  }

  @Test("§7.4 samples while connecting, connected or disconnecting; else NO_ACTIVE_CALL")
  func statuses() throws {
    let (caller, callee) = try stores.pair()
    let call = try stores.ring(caller, callee)
    #expect(refusal { try record(call, .good) } == .noActiveCall)
    try stores.calls.markRinging(call.id)
    #expect(refusal { try record(call, .good) } == .noActiveCall)
    _ = try stores.calls.accept(call.id, by: callee, from: Origin())
    try record(call, .good)
    for status in [CallStatus.connected, .disconnecting] {
      _ = try stores.calls.update(call.id, to: status, by: caller, from: Origin())
      try record(call, .good)
    }
    _ = try stores.calls.end(call.id, by: caller, reason: .hangup, from: Origin())
    #expect(refusal { try record(call, .bad) } == .noActiveCall)
    #expect(try stores.find(call).quality.samples == 3)
  }

  @Test("R5.5 plain means of the values given, unknown left out of the score")
  func means() throws {
    let (caller, callee) = try stores.pair()
    let call = try stores.connect(caller, callee)
    try record(call, .excellent, loss: 0, roundTrip: 10)
    try record(call, .veryBad, loss: 1, by: callee)
    try record(call, .good, roundTrip: 25)
    try record(call, .unknown, loss: 0.05)
    let live = try stores.calls.details(call.id, for: caller).call.quality
    let over = try stores.calls.end(call.id, by: caller, reason: .hangup, from: Origin()).quality
    for quality in [live, over, try stores.find(call).quality] {
      #expect(abs((quality.averageScore ?? 0) - 10.0 / 3) < 1e-9)
      #expect(abs((quality.averagePacketLossRate ?? 0) - 0.35) < 1e-9)
      #expect(quality.averageRoundTripTime == 17.5)
      #expect(quality.samples == 4)
    }
  }

  @Test("§7.4 no values, no means")
  func noMeans() throws {
    let (caller, callee) = try stores.pair()
    let call = try stores.connect(caller, callee)
    try record(call, .unknown)
    _ = try stores.calls.end(call.id, by: caller, reason: .hangup, from: Origin())
    var expected = CallQuality()
    expected.samples = 1
    #expect(try stores.find(call).quality == expected)
    let second = try stores.connect(caller, callee)
    _ = try stores.calls.end(second.id, by: caller, reason: .hangup, from: Origin())
    #expect(try stores.find(second).quality == CallQuality())
  }

  @Test("R5.5 random samples have the means that they should")
  func randomMeans() throws {
    let (caller, callee) = try stores.pair()
    let call = try stores.connect(caller, callee)
    var scores: [Double] = []
    var losses: [Double] = []
    var trips: [Double] = []
    for _ in 0..<60 {
      let quality = try #require(NetworkQuality.allCases.randomElement())
      let loss = Bool.random() ? Double.random(in: 0...1) : nil
      let trip = Bool.random() ? Double.random(in: 0.001...3_600_000) : nil
      try record(call, quality, loss: loss, roundTrip: trip)
      quality.score.map { scores.append(Double($0)) }
      loss.map { losses.append($0) }
      trip.map { trips.append($0) }
    }
    func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
    _ = try stores.calls.end(call.id, by: caller, reason: .hangup, from: Origin())
    let quality = try stores.find(call).quality
    #expect(abs(try #require(quality.averageScore) - mean(scores)) < 1e-9)
    #expect(abs(try #require(quality.averagePacketLossRate) - mean(losses)) < 1e-9)
    #expect(abs(try #require(quality.averageRoundTripTime) - mean(trips)) < 1e-3)
    #expect(quality.samples == 60)
  }
}
