import Storage
import Testing

@Suite("What one question tells of another clock")
struct ClockComparisonTests {
  @Test(
    "A difference is what the time of the question cannot explain",
    arguments: [
      (asked: 1000, answer: 1004, answered: 1008, lead: 0),
      (asked: 1000, answer: 1000, answered: 1008, lead: 0),
      (asked: 1000, answer: 1008, answered: 1008, lead: 0),
      (asked: 1000, answer: 991, answered: 1008, lead: -9),
      (asked: 1000, answer: 4008, answered: 1008, lead: 3000),
      // The machine stood still before the question reached the server, or behind its answer.
      (asked: 1000, answer: 10_999, answered: 11_000, lead: 0),
      (asked: 1000, answer: 1001, answered: 11_000, lead: 0),
    ] as [(asked: Int64, answer: Int64, answered: Int64, lead: Int64)])
  func lead(asked: Int64, answer: Int64, answered: Int64, lead: Int64) {
    let found = ClockComparison(asked: asked, answer: answer, answered: answered)
    #expect(found.leadMilliseconds == lead)
    #expect(found.tookMilliseconds == answered - asked)
  }
}
