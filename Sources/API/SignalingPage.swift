// The WebSocket server's own page of metrics, as the worker that answers `/metrics` asks for it over the server's
// listening socket: one scrape has the whole host.

import Exposition
import HTTP
import System

package struct SignalingPage {
  private let address: SocketAddress
  private let counters: SharedCounters
  /// Of this worker.
  private let slot: Int
  private let clock: () -> Int64
  private let bound: Int32

  /// For the whole exchange, which takes some milliseconds where the server is well. An event loop that has stood
  /// still for a quarter of a second is late with invitations too (the relay's poll is as long), and Prometheus, whose
  /// time-out is 10 s by default, gets the rest of the page all the same.
  package static let boundMilliseconds: Int32 = 250
  /// The bound of a worker where half of the pool waits already: enough for a server that is well, and a scrape more
  /// does not take the other half.
  static let crowdedMilliseconds: Int32 = 25
  /// For so long after a wait in vain no worker of the pool waits again: a server that hangs costs one bound a
  /// second, however many scrapers there are.
  static let silenceMilliseconds: Int64 = 1000

  /// - Parameters:
  ///   - address: Where the server listens on this host.
  ///   - counters: Of the pool, in which its workers see each other wait.
  ///   - slot: This worker's.
  ///   - bound: Milliseconds, 1 or more.
  ///   - clock: The monotonic one, in milliseconds.
  package init(
    _ address: SocketAddress, counters: SharedCounters, slot: Int,
    bound: Int32 = SignalingPage.boundMilliseconds,
    clock: @escaping () -> Int64 = MonotonicClock.milliseconds
  ) {
    (self.address, self.counters, self.slot) = (address, counters, slot)
    (self.bound, self.clock) = (bound, clock)
  }

  /// - Parameter shared: What the supervisor has given to this worker; without it there is no page.
  package init?(
    _ address: SocketAddress, _ shared: (counters: SharedCounters, slot: Int)?
  ) {
    // Not `map` where the worker is put together: a closure in main.swift is the main actor's, and links the runtime of
    // Swift's concurrency, 0.6 MB of each worker.
    guard let shared else { return nil }
    self.init(address, counters: shared.counters, slot: shared.slot)
  }

  /// Waits for no longer than the bound.
  /// - Returns: nil where the server does not answer with a page in time.
  package func read() -> Exposition? {
    let began = clock()
    guard !hasBeenSilent(at: began) else { return nil }
    store(began, .signalingAskedAt)
    defer { store(0, .signalingAskedAt) }
    let isCrowded = waiting(at: began) > max(1, running / 2)
    do {
      return try ask(within: isCrowded ? Self.crowdedMilliseconds : bound)
    } catch {
      // What fails at once, as a server that is not there does, costs nothing and may be tried at once.
      let isTimeOut = (error as? SystemError)?.isTimeOut ?? false
      if isTimeOut, !isCrowded { store(clock(), .signalingSilentAt) }
      return nil
    }
  }

  private func ask(within milliseconds: Int32) throws -> Exposition? {
    let stream = try BoundedStream(to: address, withinMilliseconds: milliseconds)
    try stream.send(RequestEncoder.get(HTTPURL("http://localhost/metrics")))
    var limits = ResponseLimits()
    limits.bodyBytes = Exposition.limitBytes
    var parser = ResponseParser(limits: limits)
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = try stream.receive(into: &buffer)
      guard count > 0 else { return page(in: try parser.endOfStream()) }
      if let (response, _) = try parser.feed(buffer.span.extracting(0..<count)) {
        return page(in: response)
      }
    }
  }

  private func page(in response: ReceivedResponse) -> Exposition? {
    guard response.status == 200, !response.bodyExceedsLimit else { return nil }
    return Exposition(parsing: response.body)
  }
}

// What the workers tell each other.
extension SignalingPage {
  private func hasBeenSilent(at now: Int64) -> Bool {
    slots.contains { slot in
      let silent = load(.signalingSilentAt, slot)
      return silent != 0 && now - silent < Self.silenceMilliseconds
    }
  }

  /// How many workers wait, this one included. One that died over it has left its mark.
  private func waiting(at now: Int64) -> Int {
    slots.count { slot in
      let asked = load(.signalingAskedAt, slot)
      return asked != 0 && now - asked < Self.silenceMilliseconds
    }
  }

  private var running: Int {
    let counter = SupervisorCounter.workersRunning.rawValue
    return Int(clamping: counters.load(counter, slot: SupervisorLink.supervisorSlot))
  }

  private var slots: Range<Int> { SupervisorLink.workerSlots(counters) }

  private func load(_ counter: WorkerCounter, _ slot: Int) -> Int64 {
    Int64(clamping: counters.load(counter.rawValue, slot: slot))
  }

  private func store(_ milliseconds: Int64, _ counter: WorkerCounter) {
    counters.store(UInt64(milliseconds), in: counter.rawValue, slot: slot)
  }
}
