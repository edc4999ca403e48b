// What becomes of calls, counted by the program that commits the change: changes by status, ends by reason, and how
// long calls rang and took to connect.

import Calls
import Exposition
import System

/// What a transaction does to a call that is counted once it is committed.
struct CallStep {
  private var status: CallStatus?
  private var endReason: EndReason?
  private var ringMilliseconds: Int?
  private var setUpMilliseconds: Int?

  /// A call is recorded as it is.
  init(made call: Call) { (status, endReason) = (call.status, call.endReason) }

  /// - Returns: nil where nothing about the change is counted.
  init?(from before: Call, to after: Call) {
    guard before.status != after.status else { return nil }
    status = after.status
    if after.status.isTerminal { endReason = after.endReason }
    if before.acceptedAt == nil, let accepted = after.acceptedAt {
      ringMilliseconds = Int(accepted.milliseconds - before.createdAt.milliseconds)
    }
    if before.connectedAt == nil, let connected = after.connectedAt, let accepted = after.acceptedAt
    {
      setUpMilliseconds = Int(connected.milliseconds - accepted.milliseconds)
    }
  }

  func count(in slot: CounterSlot) {
    if let status { slot.add(to: CallCounters.place(of: status)) }
    if let endReason { slot.add(to: CallCounters.place(of: endReason)) }
    if let ringMilliseconds {
      slot.observe(ringMilliseconds, CallCounters.ring, from: CallCounters.ringPlace)
    }
    if let setUpMilliseconds {
      slot.observe(setUpMilliseconds, CallCounters.setUp, from: CallCounters.setUpPlace)
    }
  }
}

package enum CallCounters {
  static let ring = HistogramScale(
    [1000, 2000, 3000, 5000, 8000, 12_000, 20_000, 30_000, 45_000, 60_000], unitsPerSecond: 1000)
  static let setUp = HistogramScale(
    [100, 250, 500, 1000, 2000, 3000, 5000, 10_000, 20_000, 30_000], unitsPerSecond: 1000)

  private static let reasonsPlace = CounterLayout.calls.lowerBound + CallStatus.allCases.count
  fileprivate static let ringPlace = reasonsPlace + EndReason.allCases.count
  fileprivate static let setUpPlace = ringPlace + ring.places
  /// Behind the last place.
  static let end = setUpPlace + setUp.places

  fileprivate static func place(of status: CallStatus) -> Int {
    CounterLayout.calls.lowerBound + (CallStatus.allCases.firstIndex(of: status) ?? 0)
  }

  fileprivate static func place(of reason: EndReason) -> Int {
    reasonsPlace + (EndReason.allCases.firstIndex(of: reason) ?? 0)
  }

  package static func write(
    _ counters: SharedCounters, _ programs: [CountingProgram], to page: inout Exposition
  ) {
    func values(_ label: String, _ places: [(value: String, place: Int)])
      -> [(labels: Exposition.Labels, value: UInt64)]
    {
      programs.flatMap { program in
        places.map {
          (
            [("program", program.name), (label, $0.value)],
            counters.sum($0.place, over: program.slots)
          )
        }
      }
    }
    func histograms(_ scale: HistogramScale, _ place: Int)
      -> [(labels: Exposition.Labels, values: HistogramValues)]
    {
      programs.map {
        ([("program", $0.name)], counters.histogram(scale, from: place, over: $0.slots))
      }
    }
    page.counters(
      "chattrix_call_changes_total", "Changes of calls by this host's programs, by the new status.",
      values("status", CallStatus.allCases.map { ($0.rawValue, place(of: $0)) }))
    page.counters(
      "chattrix_calls_ended_total", "Calls ended by this host's programs, by end reason.",
      values("reason", EndReason.allCases.map { ($0.rawValue, place(of: $0)) }))
    page.histograms(
      "chattrix_call_ring_seconds", "Time from a call's creation to its acceptance.", ring,
      histograms(ring, ringPlace))
    page.histograms(
      "chattrix_call_setup_seconds", "Time from a call's acceptance to connected.", setUp,
      histograms(setUp, setUpPlace))
  }
}
