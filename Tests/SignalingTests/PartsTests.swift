import HTTP
import JSON
import Testing

@testable import Signaling

@Suite struct ChatDialectTests {
  @Test func onlyTheNamedMembersChange() throws {
    let text =
      #"{"a":[{"status":"ended"}],"callType":"audio","networkQuality":"veryBad","status":5}"#
    #expect(
      ChatDialect.translate(Array(text.utf8))
        == Array(
          #"{"a":[{"status":"ENDED"}],"callType":"AUDIO","networkQuality":"VERY_BAD","status":5}"#
            .utf8))
  }
}

@Suite struct OpeningQueueTests {
  private func user(_ tag: UInt64) -> String? { "user \(tag)" }

  @Test func eachThreadHasOneBatchAtATime() {
    var queue = OpeningQueue(threads: 4)
    for tag in 1...5000 as ClosedRange<UInt64> { queue.append(tag) }
    var running: [OpeningQueue.Batch] = []
    while let batch = queue.next(userId: user) { running.append(batch) }
    #expect(Set(running.map(\.thread)) == [0, 1, 2, 3])
    #expect(running.flatMap(\.tags) == Array(1...128))
    #expect(running.flatMap(\.userIds) == (1...128).map { "user \($0)" })
    for batch in running { queue.finish(batch) }
    var seen = 128
    while let batch = queue.next(userId: user) {
      seen += batch.tags.count
      queue.finish(batch)
    }
    #expect(seen == 5000)
  }

  @Test func whoComesAloneIsAskedForAtOnceAndOthersTogether() throws {
    var queue = OpeningQueue(threads: 2)
    queue.append(1)
    let next = queue.next(userId: user)
    let first = try #require(next)
    #expect(first.tags == [1])
    queue.append(2)
    queue.append(3)
    #expect(queue.next(userId: user) == nil)
    queue.finish(first)
    #expect(queue.next(userId: user)?.tags == [2, 3])
  }

  @Test func nobodyWaitsForABatchThatHangs() {
    var queue = OpeningQueue(threads: 2)
    queue.append(1)
    #expect(queue.next(userId: user)?.thread == 0)
    queue.append(2)
    #expect(queue.next(userId: user) == nil)
    #expect(queue.next(isLate: true, userId: user)?.thread == 1)
    queue.append(3)
    #expect(queue.next(isLate: true, userId: user) == nil)
  }

  @Test func whoHasGoneIsNotAskedFor() {
    var queue = OpeningQueue(threads: 1)
    for tag in 1...100 as ClosedRange<UInt64> { queue.append(tag) }
    let batch = queue.next { $0 > 95 ? user($0) : nil }
    #expect(batch?.tags == Array(96...100))
  }

  @Test func afterEnoughAttemptsAConnectionIsGivenUp() throws {
    var queue = OpeningQueue(threads: 4)
    queue.append(7)
    for _ in 1..<10 {
      let next = queue.next(userId: user)
      let batch = try #require(next)
      #expect(batch.tags == [7])
      let exhausted = queue.fail(batch)
      #expect(exhausted == [])
      #expect(queue.next(userId: user) == nil)
      queue.retry()
    }
    let last = queue.next(userId: user)
    let exhausted = queue.fail(try #require(last))
    #expect(exhausted == [7])
  }
}

@Suite struct OutputQueueTests {
  @Test func whatWasTakenIsNotSentAgain() {
    let queue = OutputQueue([1, 2, 3, 4, 5])
    var sent: [UInt8] = []
    func flush(_ count: Int) {
      queue.flush { bytes in
        sent += bytes.prefix(count)
        return min(count, bytes.count)
      }
    }
    flush(2)
    #expect(queue.count == 3)
    queue.append { $0 += [6] }
    flush(2)
    queue.append { $0 += [7, 8] }
    flush(100)
    #expect(sent == [1, 2, 3, 4, 5, 6, 7, 8])
    #expect(queue.count == 0)
  }
}
