// What /metrics says of the calls (contract §1, "Operations").

import Configuration
import Storage
import System
import TestServers
import Testing

@testable import API

@Suite struct MetricsTests {
  private let counters: SharedCounters

  init() throws {
    counters = try SharedCounters.create(slots: 4, counters: SupervisorLink.counters)
  }

  private func store(_ counter: SupervisorCounter, _ value: UInt64) {
    counters.store(value, in: counter.rawValue, slot: SupervisorLink.supervisorSlot)
  }

  private func sample(_ name: String) -> String? {
    let lines = Metrics(counters: counters).exposition().split(separator: "\n")
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

  @Test("Requests count under the route's number, and each route has places of its own")
  func requests() throws {
    let slot = CounterSlot(counters, slot: 1)
    let configuration = try Configuration(environment: TestServer.worker(database: "none"))
    let application = Application(
      APISettings(configuration), authenticator: Authenticator(configuration.jwt),
      database: Database(configuration.mysql), redis: nil,
      log: Log(program: "test", level: .error))
    let routes = application.routeNames
    #expect(Set(routes.map { "\($0.method) \($0.path)" }).count == routes.count)
    let last = routes.count - 1
    RequestCounters(slot).count(route: last, status: 599, microseconds: 3_000_000)
    RequestCounters(slot).count(route: last, status: 204, microseconds: 251)
    let lines = Metrics(counters: counters, routes: routes).exposition().split(separator: "\n")
    let labels =
      #"{program="worker",method="\#(routes[last].method)",route="\#(routes[last].path)""#
    for line in [
      "chattrix_requests_total\(labels),status=\"2xx\"} 1",
      "chattrix_requests_total\(labels),status=\"5xx\"} 1",
      "chattrix_request_duration_seconds_bucket\(labels),le=\"0.00025\"} 0",
      "chattrix_request_duration_seconds_bucket\(labels),le=\"0.0005\"} 1",
      "chattrix_request_duration_seconds_bucket\(labels),le=\"+Inf\"} 2",
      "chattrix_request_duration_seconds_count\(labels)} 2",
    ] {
      #expect(lines.contains(line[...]), "\(line)")
    }
  }
}
