// A WebSocket client as plain as it gets: blocking, every wait bounded, frames as values.

import Glibc
import JSON
import System
import WebSocket

final class Client {
  /// Milliseconds that anything may take on a machine that stands still now and then.
  static let patience: Int32 = 60_000

  struct Refused: Error { let status: Int }
  struct Ended: Error {}
  struct TimedOut: Error {}

  struct Answer {
    var status: Int
    var head: String
    var body: JSONValue?

    func field(_ name: String) -> String? {
      head.split(separator: "\r\n").first { $0.lowercased().hasPrefix(name.lowercased() + ": ") }
        .map { String($0.dropFirst(name.count + 2)) }
    }
  }

  enum Frame: Equatable {
    case text(JSONValue)
    case ping
    case pong([UInt8])
    case close(UInt16?)
  }

  private let descriptor: Descriptor
  private var buffer: [UInt8] = []

  init(_ path: String) throws {
    descriptor = try connect(to: .unix(path: path), timeoutMilliseconds: Client.patience)
  }

  /// Ends the connection without a word.
  func hangUp() { shutdown(descriptor.raw, Int32(SHUT_RDWR)) }

  func send(_ bytes: [UInt8]) {
    _ = bytes.withUnsafeBytes {
      Glibc.send(descriptor.raw, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
    }
  }

  func send(frame opcode: UInt8, _ payload: [UInt8] = []) { send(Self.frame(opcode, payload)) }

  private static func frame(_ opcode: UInt8, _ payload: [UInt8]) -> [UInt8] {
    let mask: [UInt8] = [1, 2, 3, 4]
    var bytes: [UInt8] = [0x80 | opcode]
    if payload.count <= 125 {
      bytes.append(0x80 | UInt8(payload.count))
    } else {
      bytes += [0xFE, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
    }
    return bytes + mask + payload.enumerated().map { $1 ^ mask[$0 % 4] }
  }

  func send(text: String) { send(frame: 1, Array(text.utf8)) }

  /// Sends them in one go, so that no second goes by between them.
  func send(texts: [String]) { send(texts.flatMap { Self.frame(1, Array($0.utf8)) }) }

  /// Sends a request and reads the answer's head, and its body unless it is an upgrade.
  func request(_ text: String) throws -> Answer {
    send(Array(text.utf8))
    while buffer.firstRange(of: Array("\r\n\r\n".utf8)) == nil { try fill(Client.patience) }
    let end = buffer.firstRange(of: Array("\r\n\r\n".utf8))!
    let head = String(decoding: buffer[..<end.lowerBound], as: UTF8.self)
    buffer.removeSubrange(..<end.upperBound)
    var answer = Answer(status: Int(head.split(separator: " ")[1]) ?? 0, head: head)
    if answer.status != 101 {
      let length = answer.field("Content-Length").flatMap { Int($0) } ?? 0
      while buffer.count < length { try fill(Client.patience) }
      answer.body = try? JSONParser.parse(Array(buffer[..<length]))
      buffer.removeSubrange(..<length)
    }
    return answer
  }

  func upgrade(_ target: String, _ headers: [String] = []) throws -> Answer {
    let lines = [
      "GET \(target) HTTP/1.1", "Host: localhost:8443", "Upgrade: websocket",
      "Connection: Upgrade", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      "Sec-WebSocket-Version: 13",
    ]
    return try request((lines + headers + ["", ""]).joined(separator: "\r\n"))
  }

  private func fill(_ milliseconds: Int32) throws {
    var waiting = pollfd(fd: descriptor.raw, events: Int16(POLLIN), revents: 0)
    guard poll(&waiting, 1, milliseconds) > 0 else { throw TimedOut() }
    var chunk = [UInt8](repeating: 0, count: 65_536)
    let count = recv(descriptor.raw, &chunk, chunk.count, 0)
    guard count > 0 else { throw Ended() }
    buffer += chunk[..<count]
  }

  /// All that comes until the server ends the stream, as text.
  func everything() -> String {
    while (try? fill(Client.patience)) != nil {}
    defer { buffer = [] }
    return String(decoding: buffer, as: UTF8.self)
  }

  /// The next frame of any kind.
  func frame(_ milliseconds: Int32 = Client.patience) throws -> Frame {
    while true {
      if let (frame, count) = Self.parse(buffer) {
        buffer.removeSubrange(..<count)
        return frame
      }
      try fill(milliseconds)
    }
  }

  /// The next frame that is no ping: on a busy machine one may have become due before.
  func frameButPings() throws -> Frame {
    while true {
      let frame = try frame()
      if frame != .ping { return frame }
    }
  }

  private static func parse(_ bytes: [UInt8]) -> (Frame, Int)? {
    guard bytes.count >= 2 else { return nil }
    var length = Int(bytes[1] & 0x7F)
    var start = 2
    if length == 126 {
      guard bytes.count >= 4 else { return nil }
      length = Int(bytes[2]) << 8 | Int(bytes[3])
      start = 4
    } else if length == 127 {
      guard bytes.count >= 10 else { return nil }
      length = bytes[2..<10].reduce(0) { $0 << 8 | Int($1) }
      start = 10
    }
    guard bytes.count >= start + length else { return nil }
    let payload = Array(bytes[start..<start + length])
    let frame: Frame =
      switch bytes[0] {
      case 0x81: .text((try? JSONParser.parse(payload)) ?? .null)
      case 0x89: .ping
      case 0x8A: .pong(payload)
      default: .close(payload.count >= 2 ? UInt16(payload[0]) << 8 | UInt16(payload[1]) : nil)
      }
    return (frame, start + length)
  }

  /// The next text frame, pings aside.
  func next(_ milliseconds: Int32 = Client.patience) throws -> JSONValue {
    while true {
      switch try frame(milliseconds) {
      case .text(let value): return value
      case .ping, .pong: continue
      case .close: throw Ended()
      }
    }
  }

  /// The `data` of the next text frame, which has to be of this type.
  func next(_ type: String, _ milliseconds: Int32 = Client.patience) throws -> JSONValue {
    let message = try next(milliseconds)
    guard message["type"]?.stringValue == type, let data = message["data"] else {
      throw Unexpected(message: message)
    }
    return data
  }

  struct Unexpected: Error { let message: JSONValue }

  /// What the server closes with; nil where it ends the stream without a Close frame.
  func closeCode(_ milliseconds: Int32 = Client.patience) throws -> UInt16? {
    do {
      while true {
        if case .close(let code) = try frame(milliseconds) { return code }
      }
    } catch is Ended { return nil }
  }

  /// Whether the server ends the stream in time.
  func isEnded(_ milliseconds: Int32 = Client.patience) -> Bool {
    do { while true { _ = try frame(milliseconds) } } catch { return error is Ended }
  }
}
