// The three things that can be measured.

import Glibc
import JSON
import System

/// Opens connections and keeps them, silent, until standard input ends.
func idle(_ options: Options) throws {
  let opening = try Opening(options)
  try opening.run()
  report { $0.member("connections", opening.descriptors.count) }
  var byte: UInt8 = 0
  while read(STDIN_FILENO, &byte, 1) > 0 {}
}

func handshakes(_ options: Options) throws {
  let opening = try Opening(options)
  let before = try ProcessorTime.now(options.server)
  try opening.run()
  let used = try ProcessorTime.now(options.server).since(before)
  report { json in
    json.member("connections", opening.descriptors.count)
    json.member("seconds", opening.acceptedSeconds)
    json.member("greetedSeconds", opening.greetedSeconds)
    json.member("serverSeconds", used.server)
    json.member("ownSeconds", used.own)
  }
}

func roundTrips(_ options: Options) throws {
  let opening = try Opening(options)
  try opening.run()
  let descriptors = opening.descriptors
  let (frame, input) = (textFrame(options.message), Input())
  var epoll = try Epoll()
  for raw in descriptors { try epoll.add(raw, .read, tag: UInt64(raw)) }

  let before = try ProcessorTime.now(options.server)
  let start = MonotonicClock.microseconds()
  let end = start + Int64(options.seconds) * 1_000_000
  var count = 0
  var failure: (any Error)?
  for raw in descriptors { try transmit(frame, to: raw) }
  while MonotonicClock.microseconds() < end {
    try epoll.wait(timeoutMilliseconds: 1000) { tag, _ in
      let raw = Int32(truncatingIfNeeded: tag)
      do {
        guard try isAnswered(input.receive(from: raw)) else { return }
        count += 1
        try transmit(frame, to: raw)
      } catch { failure = error }
    }
    if let failure { throw failure }
  }
  let seconds = Double(MonotonicClock.microseconds() - start) / 1e6
  let used = try ProcessorTime.now(options.server).since(before)
  report { json in
    json.member("roundTrips", count)
    json.member("seconds", seconds)
    json.member("serverSeconds", used.server)
    json.member("ownSeconds", used.own)
  }
}

/// Whether what has come is the one answer: a text frame, whole, because small ones are sent at
/// once. A ping is none.
private func isAnswered(_ bytes: UnsafeBufferPointer<UInt8>?) throws -> Bool {
  guard var rest = bytes?[...] else { return false }
  var isAnswered = false
  while !rest.isEmpty {
    guard let length = frameLength(rest), length <= rest.count else {
      throw Failure("a frame in pieces")
    }
    switch rest[rest.startIndex] {
    case 0x81: isAnswered = true
    case 0x89: break
    case let byte: throw Failure("a frame that begins with \(byte)")
    }
    rest = rest[(rest.startIndex + length)...]
  }
  return isAnswered
}

private func report(_ members: (inout JSONWriter) -> Void) {
  var json = JSONWriter(reserving: 256)
  json.beginObject()
  members(&json)
  json.endObject()
  writeOut(String(decoding: json.bytes, as: UTF8.self) + "\n")
}
