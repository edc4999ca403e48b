// The one place that writes a log line: a JSON object on standard error, which journald reads
// (R12.4, contract §1: every line of a request bears its request id).

import Glibc
import JSON

package enum LogLevel: Int, Sendable, Comparable, CaseIterable {
  case debug, info, warning, error

  package init?(name: String) {
    guard let level = LogLevel.allCases.first(where: { $0.name == name.lowercased() }) else {
      return nil
    }
    self = level
  }

  package var name: String {
    switch self {
    case .debug: "debug"
    case .info: "info"
    case .warning: "warning"
    case .error: "error"
    }
  }

  package static func < (left: LogLevel, right: LogLevel) -> Bool {
    left.rawValue < right.rawValue
  }
}

/// A value that any thread may use. Never pass it a token, a ticket or a secret.
package struct Log: Sendable {
  private let program: String
  private let level: LogLevel
  private let sink: LogSink
  private let processId = Int(getpid())

  /// - Parameter descriptor: Where lines go; it stays open for as long as the log is used.
  package init(program: String, level: LogLevel, descriptor: Int32 = STDERR_FILENO) {
    self.program = program
    self.level = level
    sink = LogSink(descriptor)
  }

  package typealias Fields = KeyValuePairs<String, JSONValue>

  package func debug(_ event: String, requestId: String? = nil, _ fields: Fields = [:]) {
    write(.debug, event, requestId, fields)
  }

  package func info(_ event: String, requestId: String? = nil, _ fields: Fields = [:]) {
    write(.info, event, requestId, fields)
  }

  package func warning(_ event: String, requestId: String? = nil, _ fields: Fields = [:]) {
    write(.warning, event, requestId, fields)
  }

  package func error(_ event: String, requestId: String? = nil, _ fields: Fields = [:]) {
    write(.error, event, requestId, fields)
  }

  private func write(
    _ level: LogLevel, _ event: String, _ requestId: String?, _ fields: Fields
  ) {
    guard level >= self.level else { return }
    sink.write(line(level, event, requestId, fields)) { count in
      line(.warning, "log_lines_lost", nil, ["lines": .int(Int64(count))])
    }
  }

  private func line(
    _ level: LogLevel, _ event: String, _ requestId: String?, _ fields: Fields
  ) -> [UInt8] {
    var json = JSONWriter(reserving: 256)
    json.beginObject()
    json.member("time", Timestamp.now().iso8601)
    json.member("level", level.name)
    json.member("program", program)
    json.member("pid", processId)
    if let requestId { json.member("requestId", requestId) }
    json.member("event", event)
    for (key, value) in fields {
      json.key(text: key)
      value.write(to: &json)
    }
    json.endObject()
    var line = json.bytes
    line.append(UInt8(ascii: "\n"))
    return line
  }
}
