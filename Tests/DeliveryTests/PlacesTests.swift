import Storage
import Testing

@testable import Delivery

@Suite("Contract 8.2: requests at once")
struct PlacesTests {
  @Test(
    "Retries take half of the places and keep one free of the others", arguments: [2, 3, 16, 256])
  func shares(total: Int) {
    var places = Places(total: total)
    #expect(places.room(for: .fresh) == total - 1)
    for _ in 0..<total / 2 {
      #expect(places.room(for: .retry) > 0)
      places.take(.retry)
    }
    #expect(places.room(for: .retry) == 0)
    while places.room(for: .fresh) > 0 { places.take(.fresh) }
    #expect(places.inFlight == total)
    #expect(places.room(for: .kick) == 0)
    places.give(.retry)
    #expect(places.inFlight == total - 1)
  }

  @Test("With one place, events that are tried again and those that are not take turns")
  func one() {
    var places = Places(total: 1)
    let firsts = (0..<4).map { _ in places.order().first }
    #expect(Set(firsts) == [.fresh, .retry])
    #expect(places.room(for: .retry) == 1)
    places.take(.retry)
    #expect(places.room(for: .fresh) == 0)
  }

  @Test("Contract 9.4: at most ten kicks in any second, at the shortest intervals too")
  func pace() {
    var pace = Pace()
    var started: [Int64] = []
    for now in stride(from: Int64(0), to: 5000, by: 7) {
      while pace.allowed(at: now) > 0, started.count < 45 {
        pace.started(at: now)
        started.append(now)
      }
    }
    #expect(started.count == 45)
    for (first, eleventh) in zip(started, started.dropFirst(10)) {
      #expect(eleventh - first >= 1000)
    }
    #expect(pace.waitMilliseconds(at: started.last! + 1000) == nil)
  }
}
