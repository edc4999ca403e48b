import Synchronization
import Testing

@testable import Signaling

/// A time that counts how often one is compared with another.
private struct Counted: Comparable {
  static let comparisons = Atomic<Int>(0)
  let value: Int

  static func < (one: Counted, other: Counted) -> Bool {
    comparisons.add(1, ordering: .relaxed)
    return one.value < other.value
  }
}

@Suite struct DeadlineHeapTests {
  @Test func theEarliestComesFirst() {
    var heap = DeadlineHeap<Int>()
    for (descriptor, time) in [(3, 30), (5, 10), (9, 20), (4, 10)] as [(Int32, Int)] {
      heap[descriptor] = time
    }
    #expect(heap.count == 4)
    var times: [Int] = []
    while let (descriptor, time) = heap.first {
      #expect(heap[descriptor] == time)
      times.append(time)
      heap[descriptor] = nil
      #expect(heap[descriptor] == nil)
    }
    #expect(times == [10, 10, 20, 30])
    #expect(heap.count == 0)
    #expect(heap[1000] == nil)
    heap[7] = nil
    #expect(heap.first == nil)
  }

  /// Against a dictionary that is searched.
  @Test(arguments: [1, 2, 7, 64, 500] as [Int32])
  func whateverIsChangedTheEarliestComesFirst(descriptors: Int32) {
    var generator = SystemRandomNumberGenerator()
    var heap = DeadlineHeap<Int>()
    var expected: [Int32: Int] = [:]
    for _ in 0..<4000 {
      let descriptor = Int32.random(in: 0..<descriptors, using: &generator)
      let time = Int.random(in: 0...5, using: &generator) == 0 ? nil : Int.random(in: 0...300)
      heap[descriptor] = time
      expected[descriptor] = time
      #expect(heap.count == expected.count)
      #expect(heap.first?.time == expected.values.min())
      #expect(heap.first.map { expected[$0.descriptor] == $0.time } ?? expected.isEmpty)
    }
    for descriptor in 0..<descriptors { #expect(heap[descriptor] == expected[descriptor]) }
  }

  @Test("§10 of 10,000 sockets a tick looks at one, and a renewal at one path")
  func cost() {
    var heap = DeadlineHeap<Counted>()
    func counted(_ body: () -> Void) -> Int {
      let before = Counted.comparisons.load(ordering: .relaxed)
      body()
      return Counted.comparisons.load(ordering: .relaxed) - before
    }
    // The path from the root of ten thousand has 13 steps, of two comparisons where it leads down.
    let path = 2 * 14
    for descriptor in 0..<10_000 as Range<Int32> {
      let time = Counted(value: Int(descriptor) * 7919 % 10_007)
      #expect(counted { heap[descriptor] = time } <= path)
    }
    let idle = counted {
      for _ in 0..<1000 {
        if let first = heap.first, first.time < Counted(value: -1) { heap[first.descriptor] = nil }
      }
    }
    #expect(idle == 1000)
    for descriptor in stride(from: 0, to: 10_000, by: 7) as StrideTo<Int32> {
      let later = Counted(value: 20_000 - Int(descriptor))
      #expect(counted { heap[descriptor] = later } <= path)
      #expect(counted { heap[descriptor + 1] = nil } <= 2 * path)
    }
  }
}
