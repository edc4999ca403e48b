// What the command line asks for.

import Glibc
import System

/// Why there is no result, for the person at the terminal.
struct Failure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

struct Options {
  enum Mode: String {
    case idle, handshakes
    case roundTrips = "round-trips"
  }

  let mode: Mode
  let host: String
  let port: UInt16
  private(set) var path = "/"
  private(set) var users: [String] = []
  private(set) var secret: [UInt8] = []
  private(set) var isGreeted = false
  private(set) var connections = 64
  private(set) var inFlight = 64
  private(set) var isAfterGreeting = false
  private(set) var seconds = 4
  private(set) var message: [UInt8] = Array(#"{"type":"heartbeat"}"#.utf8)
  private(set) var server: Int32?

  init(_ arguments: [String], _ environment: [String: String]) throws {
    guard arguments.count >= 2, let mode = Mode(rawValue: arguments[0]),
      case .tcp(let host, let port)? = SocketAddress(arguments[1])
    else { throw Failure("idle, handshakes or round-trips, and HOST:PORT") }
    (self.mode, self.host, self.port) = (mode, host, port)
    secret = Array((environment["JWT_SECRET"] ?? "").utf8)
    var rest = arguments.dropFirst(2)
    while let name = rest.popFirst() {
      switch name {
      case "--greeted": isGreeted = true
      case "--after-greeting": isAfterGreeting = true
      default:
        guard let value = rest.popFirst() else { throw Failure("\(name) needs a value") }
        try set(name, value)
      }
    }
    guard !isAfterGreeting || isGreeted else { throw Failure("--after-greeting needs --greeted") }
  }

  private mutating func set(_ name: String, _ value: String) throws {
    switch name {
    case "--path": path = value
    case "--users":
      let text = String(decoding: try readFile(value, limit: 1 << 24), as: UTF8.self)
      users = text.split(separator: "\n").map(String.init)
    case "--connections": connections = try Self.count(name, value)
    case "--in-flight": inFlight = try Self.count(name, value)
    case "--seconds": seconds = try Self.count(name, value)
    case "--message":
      message = Array(value.utf8)
      guard message.count <= 125 else { throw Failure("--message has at most 125 bytes") }
    case "--server": server = Int32(try Self.count(name, value))
    default: throw Failure("\(name) is no option")
    }
  }

  private static func count(_ name: String, _ value: String) throws -> Int {
    guard let count = Int(value), count > 0 else { throw Failure("\(name) is a number over 0") }
    return count
  }
}
