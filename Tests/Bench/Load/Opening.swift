// Opens connections, some at a time, and says when the last was open.

import Glibc
import System

final class Opening {
  /// From the first connect(2) to the last `101`.
  private(set) var acceptedSeconds = 0.0
  /// And to the last greeting.
  private(set) var greetedSeconds = 0.0
  /// The connections, in the order of their requests.
  private(set) var descriptors: [Int32] = []

  private enum Phase { case requested, accepted, open }

  private let options: Options
  private let target: Target
  private let requests: [[UInt8]]
  private let input = Input()
  private var phases: [Phase] = []
  /// What has come of an answer whose end has not, by connection.
  private var pieces: [Int: [UInt8]] = [:]
  private var accepted = 0
  private var open = 0
  private var startedAt: Int64 = 0

  init(_ options: Options) throws {
    self.options = options
    target = try Target(options)
    requests = try Requests.make(options)
  }

  func run() throws {
    var epoll = try Epoll()
    var ready: [Int] = []
    startedAt = MonotonicClock.microseconds()
    while open < requests.count {
      while descriptors.count < requests.count, pending < options.inFlight {
        try begin(&epoll)
      }
      ready.removeAll(keepingCapacity: true)
      try epoll.wait(timeoutMilliseconds: 10_000) { tag, _ in ready.append(Int(tag)) }
      guard !ready.isEmpty else {
        throw Failure("nothing for 10 s with \(open) of \(requests.count) connections open")
      }
      for index in ready { try receive(index) }
    }
  }

  private var pending: Int { descriptors.count - (options.isAfterGreeting ? open : accepted) }

  private var elapsed: Double { Double(MonotonicClock.microseconds() - startedAt) / 1e6 }

  private func begin(_ epoll: inout Epoll) throws {
    let index = descriptors.count
    // Theirs until the process ends.
    let raw = try target.connect().release()
    descriptors.append(raw)
    phases.append(.requested)
    try epoll.add(raw, .read, tag: UInt64(index))
    try transmit(requests[index], to: raw)
  }

  private func receive(_ index: Int) throws {
    guard let bytes = try input.receive(from: descriptors[index]) else { return }
    if let piece = pieces.removeValue(forKey: index) {
      try (piece + Array(bytes)).withUnsafeBufferPointer { try take($0[...], index) }
    } else {
      try take(bytes[...], index)
    }
  }

  private func take(_ bytes: UnsafeBufferPointer<UInt8>.SubSequence, _ index: Int) throws {
    var rest = bytes
    if phases[index] == .requested {
      guard let end = Self.endOfHead(rest) else {
        pieces[index] = Array(rest)
        return
      }
      guard rest.starts(with: "HTTP/1.1 101 ".utf8) else {
        throw Failure("instead of a 101: \(String(decoding: rest.prefix(300), as: UTF8.self))")
      }
      rest = rest[end...]
      phases[index] = .accepted
      accepted += 1
      if accepted == requests.count { acceptedSeconds = elapsed }
      if !options.isGreeted { finish(index) }
    }
    guard phases[index] == .accepted, !rest.isEmpty else { return }
    try greet(rest, index)
  }

  private func greet(_ bytes: UnsafeBufferPointer<UInt8>.SubSequence, _ index: Int) throws {
    guard let length = frameLength(bytes), length <= bytes.count else {
      pieces[index] = Array(bytes)
      return
    }
    switch bytes[bytes.startIndex] {
    case 0x81: finish(index)
    // A ping, which may come first.
    case 0x89: try greet(bytes[(bytes.startIndex + length)...], index)
    case let byte: throw Failure("a greeting that begins with \(byte)")
    }
  }

  private func finish(_ index: Int) {
    phases[index] = .open
    open += 1
    if open == requests.count { greetedSeconds = elapsed }
  }

  private static func endOfHead(_ bytes: UnsafeBufferPointer<UInt8>.SubSequence) -> Int? {
    guard bytes.count >= 4 else { return nil }
    for index in bytes.startIndex...(bytes.endIndex - 4)
    where bytes[index] == 13 && bytes[index + 1] == 10 && bytes[index + 2] == 13
      && bytes[index + 3] == 10
    {
      return index + 4
    }
    return nil
  }
}
