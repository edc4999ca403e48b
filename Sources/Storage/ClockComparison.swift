// Two hosts' clocks, as far as one question and its answer tell of them (`chattrix-ctl doctor`).

/// By how much another clock differs from this host's at the least: a question that took long, over a slow network or on
/// a machine that stood still, is no proof of a difference.
package struct ClockComparison: Sendable, Equatable {
  /// Milliseconds by which the other clock is ahead; negative where it is behind, 0 where both may agree.
  package let leadMilliseconds: Int64
  /// Milliseconds from the question to the answer, within which nothing is known.
  package let tookMilliseconds: Int64

  /// - Parameters:
  ///   - asked: This host's time before the question.
  ///   - answer: The other's time, as it answered; where there is none, this host's.
  ///   - answered: This host's time behind the answer.
  package init(asked: Int64, answer: Int64?, answered: Int64) {
    let answer = answer ?? answered
    leadMilliseconds = answer < asked ? answer - asked : max(0, answer - answered)
    tookMilliseconds = max(0, answered - asked)
  }
}
