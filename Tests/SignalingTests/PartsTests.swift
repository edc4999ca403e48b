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
  @Test func onlySoManyRunAtATime() {
    var queue = OpeningQueue(threads: 4)
    for tag in 1...5000 as ClosedRange<UInt64> { queue.append(tag) }
    var running: [UInt64] = []
    while let tag = queue.next() { running.append(tag) }
    #expect(running == Array(1...8))
    for tag in running { queue.finish(tag) }
    var seen = running.count
    while let tag = queue.next() {
      seen += 1
      queue.finish(tag)
    }
    #expect(seen == 5000)
  }

  @Test func afterEnoughAttemptsAConnectionIsGivenUp() {
    var queue = OpeningQueue(threads: 4)
    queue.append(7)
    for _ in 1..<10 {
      #expect(queue.next() == 7)
      let mayRetry = queue.fail(7)
      #expect(mayRetry)
      #expect(queue.next() == nil)
      queue.retry()
    }
    #expect(queue.next() == 7)
    let mayRetry = queue.fail(7)
    #expect(!mayRetry)
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
