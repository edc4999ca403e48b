// Requests by route: how many of each class of status, and how long they took. One process' counts are in its
// slot of the counters that its pool shares.

import Exposition
import System

package struct RequestCounters: Sendable {
  /// What a request is counted as.
  package typealias RouteName = (method: String, path: String)

  /// Those that no route was found for, preflights included.
  static let unrouted = 0
  static let agoraHook = 1
  /// The API's own follow, in the order of the router.
  static let firstRoute = 2

  private static let statusClasses = ["1xx", "2xx", "3xx", "4xx", "5xx"]
  private static let duration = HistogramScale(
    [
      250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
      2_500_000,
    ], unitsPerSecond: 1_000_000)
  private static let placesOfRoute = statusClasses.count + duration.places

  private let slot: CounterSlot

  init(_ slot: CounterSlot) { self.slot = slot }

  /// - Parameter status: 100–599.
  func count(route: Int, status: Int, microseconds: Int64) {
    let first = Self.place(of: route)
    slot.add(to: first + min(max(status / 100 - 1, 0), Self.statusClasses.count - 1))
    slot.observe(
      Int(microseconds), Self.duration, from: first + Self.statusClasses.count)
  }

  private static func place(of route: Int) -> Int {
    CounterLayout.requests.lowerBound + route * placesOfRoute
  }

  /// - Parameter routes: By number.
  package static func write(
    _ counters: SharedCounters, _ program: CountingProgram, routes: [RouteName],
    to page: inout Exposition
  ) {
    let labels = routes.map {
      [("program", program.name), ("method", $0.method), ("route", $0.path)]
    }
    var samples: [(labels: Exposition.Labels, value: UInt64)] = []
    for route in routes.indices {
      for (index, name) in statusClasses.enumerated() {
        let value = counters.sum(place(of: route) + index, over: program.slots)
        // No answer is of these two.
        if value == 0, name == "1xx" || name == "3xx" { continue }
        samples.append((labels[route] + [("status", name)], value))
      }
    }
    page.counters(
      "chattrix_requests_total", "Requests answered, by route and class of status.", samples)
    page.histograms(
      "chattrix_request_duration_seconds",
      "Time from a request's arrival at a program to its answer.",
      duration,
      routes.indices.map { route in
        (
          labels[route],
          counters.histogram(
            duration, from: place(of: route) + statusClasses.count, over: program.slots)
        )
      })
  }
}
