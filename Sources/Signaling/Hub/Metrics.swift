// The sidecar's counters, in Prometheus' text format (prometheus.io, "Exposition formats").

struct Metrics {
  /// Handshakes by the status that they were answered with.
  private var handshakes: [Int: Int] = [:]
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

  mutating func countHandshake(_ status: Int) { handshakes[status, default: 0] += 1 }

  func text(connections: Int, users: Int, mysql: Bool, redis: Bool) -> String {
    var lines: [String] = []
    func add(_ name: String, _ type: String, _ help: String, _ value: Int) {
      lines += ["# HELP \(name) \(help)", "# TYPE \(name) \(type)", "\(name) \(value)"]
    }
    add("chattrix_signaling_connections", "gauge", "Open sockets.", connections)
    add("chattrix_signaling_users", "gauge", "Users with a connection.", users)
    add("chattrix_signaling_mysql_up", "gauge", "Whether MySQL answers.", mysql ? 1 : 0)
    add("chattrix_signaling_redis_up", "gauge", "Whether Redis answers.", redis ? 1 : 0)
    add("chattrix_signaling_frames_total", "counter", "Frames from clients.", frames)
    add("chattrix_signaling_events_total", "counter", "Events sent to connections.", events)
    add("chattrix_signaling_fetches_total", "counter", "Pages read from the outbox.", fetches)
    add("chattrix_signaling_commands_total", "counter", "Commands of clients.", commands)
    add("chattrix_signaling_renewals_total", "counter", "Logins renewed on a socket.", renewals)
    add(
      "chattrix_signaling_expirations_total", "counter",
      "Sockets closed at the end of their login.", expirations)
    let name = "chattrix_signaling_handshakes_total"
    lines += ["# HELP \(name) Handshakes by status.", "# TYPE \(name) counter"]
    for (status, count) in handshakes.sorted(by: { $0.key < $1.key }) {
      lines.append("\(name){status=\"\(status)\"} \(count)")
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
