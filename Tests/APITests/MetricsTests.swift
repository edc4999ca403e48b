// What /metrics says of the calls (contract §1, "Operations").

import System
import Testing

@testable import API

@Suite struct MetricsTests {
  private let counters: SharedCounters

  init() throws {
    counters = try SharedCounters.create(slots: 3, counters: SupervisorLink.counters)
  }

  private func store(_ counter: SupervisorCounter, _ value: UInt64) {
    counters.store(value, in: counter.rawValue, slot: SupervisorLink.supervisorSlot)
  }

  private func sample(_ name: String) -> String? {
    let lines = Metrics(counters: counters, slot: 1).exposition().split(separator: "\n")
    return lines.first { $0.hasPrefix("\(name) ") }.map { String($0.dropFirst(name.count + 1)) }
  }

  @Test("Live calls and the sweeper's lag are what the supervisor has published")
  func load() {
    #expect(sample("chattrix_live_calls") == "0")
    #expect(sample("chattrix_sweep_lag_seconds") == "0.0")
    store(.liveCalls, 12)
    store(.sweepLagMilliseconds, 250)
    #expect(sample("chattrix_live_calls") == "12")
    #expect(sample("chattrix_sweep_lag_seconds") == "0.25")
  }

  @Test("A sweep that hangs is the lag, since it measures nothing")
  func hanging() throws {
    store(.sweepLagMilliseconds, 250)
    store(.sweepingSince, UInt64(Timestamp.now().milliseconds - 60_000))
    let text = try #require(sample("chattrix_sweep_lag_seconds"))
    #expect(60..<600 ~= (Double(text) ?? 0))
  }
}
