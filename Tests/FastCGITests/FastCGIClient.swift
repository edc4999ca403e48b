// A web server's side of FastCGI 1.0, as far as the tests need it: records over a Unix socket.

import CLinux
import Glibc
import System

struct FastCGIReply: Equatable {
  /// What came on FCGI_STDOUT.
  var output = ""
  /// Whether FCGI_END_REQUEST came.
  var isComplete = false

  var status: Int? {
    guard output.hasPrefix("Status: ") else { return nil }
    return Int(output.dropFirst(8).prefix(3))
  }

  var body: String {
    guard let range = output.firstRange(of: "\r\n\r\n") else { return "" }
    return String(output[range.upperBound...])
  }
}

enum RecordType: UInt8 {
  case beginRequest = 1
  case endRequest = 3
  case parameters = 4
  case standardInput = 5
  case standardOutput = 6
}

func record(_ type: RecordType, _ content: some Collection<UInt8>) -> [UInt8] {
  let count = content.count
  return [1, type.rawValue, 0, 1, UInt8(count >> 8), UInt8(count & 255), 0, 0] + content
}

/// The role of a responder, the connection closed after the answer.
let beginRequest = record(.beginRequest, [0, 1, 0, 0, 0, 0, 0, 0])

private func stream(_ type: RecordType, _ content: [UInt8]) -> [UInt8] {
  var bytes: [UInt8] = []
  for start in stride(from: 0, to: content.count, by: 65_000) {
    bytes += record(type, content[start..<min(start + 65_000, content.count)])
  }
  return bytes + record(type, [])
}

private func nameValue(_ name: String, _ value: String) -> [UInt8] {
  func length(_ count: Int) -> [UInt8] {
    if count < 128 { return [UInt8(count)] }
    return [UInt8(count >> 24) | 0x80, UInt8(count >> 16 & 255)]
      + [UInt8(count >> 8 & 255), UInt8(count & 255)]
  }
  return length(name.utf8.count) + length(value.utf8.count) + name.utf8 + value.utf8
}

func encodedRequest(_ parameters: [(String, String)], body: [UInt8]) -> [UInt8] {
  beginRequest + stream(.parameters, parameters.flatMap { nameValue($0.0, $0.1) })
    + stream(.standardInput, body)
}

struct FastCGIClient {
  let address: SocketAddress

  func send(
    _ method: String, _ target: String, _ more: [(String, String)] = [], body: [UInt8] = []
  ) throws -> FastCGIReply {
    var parameters = [("REQUEST_METHOD", method), ("REQUEST_URI", target)] + more
    if !body.isEmpty { parameters.append(("CONTENT_LENGTH", String(body.count))) }
    return receive(try begin(encodedRequest(parameters, body: body)))
  }

  func receive(_ descriptor: borrowing Descriptor) -> FastCGIReply {
    var answer: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    var reply = FastCGIReply()
    // A connection whose body was late stays open behind its answer.
    while !reply.isComplete, case let count = read(descriptor.raw, &chunk, chunk.count), count > 0 {
      answer += chunk[..<count]
      reply = decode(answer)
    }
    return reply
  }

  /// Connects and sends, and leaves it to the caller to wait for an answer or not.
  func begin(_ bytes: [UInt8]) throws -> Descriptor {
    let descriptor = try connect(to: address, timeoutMilliseconds: 60_000)
    for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
      chattrix_limit_transfer(descriptor.raw, option, 60_000)
    }
    let flags = chattrix_fcntl(descriptor.raw, F_GETFL, 0)
    _ = chattrix_fcntl(descriptor.raw, F_SETFL, flags & ~O_NONBLOCK)
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes {
        Glibc.send(descriptor.raw, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { break }
      rest = rest.dropFirst(count)
    }
    return descriptor
  }

  private func decode(_ bytes: [UInt8]) -> FastCGIReply {
    var reply = FastCGIReply()
    var output: [UInt8] = []
    var position = 0
    while position + 8 <= bytes.count {
      let count = Int(bytes[position + 4]) << 8 | Int(bytes[position + 5])
      let end = position + 8 + count
      guard end <= bytes.count else { break }
      switch RecordType(rawValue: bytes[position + 1]) {
      case .standardOutput: output += bytes[position + 8..<end]
      case .endRequest: reply.isComplete = true
      default: break
      }
      position = end + Int(bytes[position + 6])
    }
    reply.output = String(decoding: output, as: UTF8.self)
    return reply
  }
}
