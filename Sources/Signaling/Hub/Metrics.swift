// What the sidecar counts by itself, as its page of metrics has it.

import Exposition
import System

struct Metrics {
  /// Handshakes by the status that they were answered with.
  private var handshakes: [Int: UInt64] = [:]
  /// Frames from clients.
  var frames = 0
  /// Events sent, counted per connection.
  var events = 0
  /// Pages asked of the outbox.
  var fetches = 0
  var commands = 0
  /// Logins that were renewed on their socket.
  var renewals = 0
  /// Sockets that were closed at the end of their login.
  var expirations = 0
  /// Age of the newest event of a page when it was sent.
  private var eventAges = HistogramValues(Metrics.eventAge)

  private static let eventAge = HistogramScale(
    [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 15_000], unitsPerSecond: 1000)

  /// What is true at the moment.
  struct State {
    var connections = 0
    var users = 0
    var isMySQLUp = true
    var isRedisUp = true
    /// Jobs that are not done, by the threads that do them.
    var queues: [(name: String, jobs: Int)] = []
    /// Connections that were closed because they did not read what they were sent.
    var slowReaders = 0
  }

  mutating func countHandshake(_ status: Int) { handshakes[status, default: 0] += 1 }

  mutating func countEvent(ageMilliseconds: Int64) {
    eventAges.observe(Int(ageMilliseconds), Metrics.eventAge)
  }

  func write(_ state: State, to page: inout Exposition) {
    func counter(_ name: String, _ help: String, _ value: Int) {
      page.counter("chattrix_signaling_\(name)_total", help, UInt64(value))
    }
    page.gauge("chattrix_signaling_connections", "Open sockets.", state.connections)
    page.gauge("chattrix_signaling_users", "Users with a connection.", state.users)
    page.gauge(
      "chattrix_signaling_mysql_up", "Whether MySQL answers.", state.isMySQLUp ? 1 : 0)
    page.gauge(
      "chattrix_signaling_redis_up", "Whether Redis answers.", state.isRedisUp ? 1 : 0)
    page.gauges(
      "chattrix_signaling_queue_length", "Jobs that are not done, by the threads that do them.",
      state.queues.map { ([("queue", $0.name)], $0.jobs) })
    counter("frames", "Frames from clients.", frames)
    counter("events", "Events sent to connections.", events)
    counter("fetches", "Pages read from the outbox.", fetches)
    counter("commands", "Commands of clients.", commands)
    counter("renewals", "Logins renewed on a socket.", renewals)
    counter("expirations", "Sockets closed at the end of their login.", expirations)
    counter("slow_readers", "Sockets closed because they did not read.", state.slowReaders)
    page.counters(
      "chattrix_signaling_handshakes_total", "Handshakes by status.",
      handshakes.sorted { $0.key < $1.key }.map { ([("status", "\($0.key)")], $0.value) })
    page.histograms(
      "chattrix_signaling_event_age_seconds",
      "Time from an event's record to its sending, to users who were connected before it.",
      Metrics.eventAge, [([], eventAges)])
  }
}
