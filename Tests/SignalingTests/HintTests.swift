// A hint that is faster than the row it is about, as it is with a cluster of databases.

import Glibc
import System
import Testing

@testable import Calls
@testable import Signaling

@Suite struct HintTests {
  @Test("contract 7.6 an event that a node shows some time after its hint is sent without the poll")
  func hintBeforeTheRow() throws {
    let sidecar = try RunningSidecar()
    sidecar.world.with { $0.isPollBlind = true }
    let client = try sidecar.greeted("alice")
    for delay: Int64 in [0, 10, 40, 80] {
      sidecar.world.with { $0.blindUntilMilliseconds = MonotonicClock.milliseconds() + delay }
      let id = sidecar.world.emit("call_ended", to: "alice")
      sidecar.hint("alice")
      #expect(try client.next()["id"]?.stringValue == String(id))
    }
  }

  @Test("A hint that nothing follows costs four reads")
  func bounded() throws {
    let sidecar = try RunningSidecar()
    _ = try sidecar.greeted("alice")
    let before = sidecar.world.with { $0.fetches }
    sidecar.hint("alice", "nobody")
    #expect(eventually { sidecar.world.with { $0.fetches } == before + 4 })
    usleep(300_000)
    #expect(sidecar.world.with { $0.fetches } == before + 4)
  }

  @Test func delays() {
    var hinted = HintedUsers()
    let user = UserKey("alice")
    hinted.foundNothing(user, now: 0)
    #expect(hinted.nextAt == nil)
    hinted.insert(user)
    var now: Int64 = 1000
    var dueAt: [Int64] = []
    for _ in 0..<5 {
      hinted.foundNothing(user, now: now)
      guard let next = hinted.nextAt else { break }
      #expect(hinted.takeDue(now: next - 1).isEmpty)
      #expect(hinted.takeDue(now: next) == [user])
      now = next
      dueAt.append(now - 1000)
    }
    #expect(dueAt == [20, 50, 100])
    hinted.insert(user)
    hinted.foundNothing(user, now: now)
    hinted.remove(user)
    #expect(hinted.takeDue(now: now + 1000).isEmpty)
    #expect(hinted.nextAt == nil)
  }

  @Test func aLaggingClusterIsNotAskedEverMore() {
    var hinted = HintedUsers()
    for number in 0..<1500 {
      hinted.insert(UserKey("user\(number)"))
      hinted.foundNothing(UserKey("user\(number)"), now: 0)
    }
    #expect(hinted.takeDue(now: 20).count == 1000)
  }
}
