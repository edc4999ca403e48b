// Counters that processes share, histograms in them, and the queue of a listening socket.

import Glibc
import Testing

@testable import System

@Suite struct CounterTests {
  @Test("A histogram is counted in consecutive places and summed over slots")
  func histogram() throws {
    let counters = try SharedCounters.create(slots: 3, counters: 16)
    let scale = HistogramScale([10, 20], unitsPerSecond: 1000)
    CounterSlot(counters, slot: 1).observe(10, scale, from: 4)
    CounterSlot(counters, slot: 2).observe(11, scale, from: 4)
    CounterSlot(counters, slot: 2).observe(-1, scale, from: 4)
    CounterSlot(counters, slot: 0).observe(1000, scale, from: 4)
    let values = counters.histogram(scale, from: 4, over: 1..<3)
    #expect(values.sum == 21)
    #expect(values.counts == [2, 1, 0])
  }

  @Test("Nothing is counted where there are no counters")
  func none() {
    CounterSlot.none.add(.mysqlConflict)
    CounterSlot.none.observe(1, HistogramScale([1], unitsPerSecond: 1), from: 0)
  }

  @Test("What is counted has places of its own")
  func layout() {
    for counter in StoreCounter.allCases { #expect(CounterLayout.stores ~= counter.rawValue) }
    for counter in SupervisorCounter.allCases { #expect(CounterLayout.own ~= counter.rawValue) }
    for counter in DeliveryCounter.allCases { #expect(CounterLayout.own ~= counter.rawValue) }
    for counter in WorkerCounter.allCases { #expect(CounterLayout.own ~= counter.rawValue) }
  }

  @Test("Connections that wait to be accepted are told, on Unix sockets and on TCP")
  func acceptQueue() throws {
    let path = "/tmp/chattrix-\(getpid())-queue.sock"
    for address in [SocketAddress.unix(path: path), .tcp(host: "127.0.0.1", port: 0)] {
      let socket = try ListeningSocket.open(address, environment: [:])
      defer { socket.removePath() }
      #expect(AcceptQueue.length(of: socket.descriptor.raw) == 0)
      var clients: [Int32] = []
      defer { for client in clients { close(client) } }
      for _ in 0..<3 { clients.append(try connected(to: socket.descriptor.raw)) }
      #expect(AcceptQueue.length(of: socket.descriptor.raw) == 3)
    }
    #expect(AcceptQueue.length(of: -1) == nil)
  }

  /// A blocking socket that is connected to a listening one.
  private func connected(to listening: Int32) throws -> Int32 {
    var name = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    return try withUnsafeMutablePointer(to: &name) {
      try $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
        #expect(getsockname(listening, raw, &length) == 0)
        let client = socket(Int32(raw.pointee.sa_family), Int32(SOCK_STREAM.rawValue), 0)
        try #require(client >= 0 && connect(client, raw, length) == 0)
        return client
      }
    }
  }
}
