// The words of the wire other than statuses: sent in lower case, read in any case and with
// underscores (contract §1).

package enum CallType: String, Sendable, CaseIterable {
  case audio, video
}

package enum EndReason: String, Sendable, CaseIterable {
  case hangup, cancelled, declined, busy, unavailable, timeout
  case connectionLost = "connection_lost"
  case maxDuration = "max_duration"
  case failed
}

/// What a callee may give as the reason of a rejection.
package enum RejectReason: String, Sendable, CaseIterable {
  case busy, declined, unavailable, timeout

  package var endReason: EndReason {
    switch self {
    case .busy: .busy
    case .declined: .declined
    case .unavailable: .unavailable
    case .timeout: .timeout
    }
  }
}

/// How an entry of a user's history reads (contract §7.2).
package enum HistoryStatus: String, Sendable, CaseIterable {
  case completed, missed, rejected, failed
}

package enum CallDirection: String, Sendable {
  case incoming, outgoing
}

package enum NetworkQuality: String, Sendable, CaseIterable {
  case excellent, good, poor, bad, veryBad, unknown

  /// 5 (excellent) … 1 (veryBad); nil for unknown, which averages leave out (contract §7.4).
  package var score: Int? {
    switch self {
    case .excellent: 5
    case .good: 4
    case .poor: 3
    case .bad: 2
    case .veryBad: 1
    case .unknown: nil
    }
  }

  /// The quality nearest to a mean score of 1…5.
  package init?(averageScore: Double?) {
    guard let averageScore else { return nil }
    let nearest = Int(averageScore.rounded())
    self = NetworkQuality.allCases.first { $0.score == nearest } ?? .unknown
  }

  /// Bad enough to warn the other participant (R7.4).
  package var isPoor: Bool { self == .poor || self == .bad || self == .veryBad }
}

extension CaseIterable where Self: RawRepresentable, RawValue == String {
  /// Reads a wire word: `veryBad`, `VERY_BAD` and `verybad` are the same.
  package init?(wire text: String) {
    let plain = text.lowercased().filter { $0 != "_" }
    guard
      let match = Self.allCases.first(where: {
        $0.rawValue.lowercased().filter { $0 != "_" } == plain
      })
    else { return nil }
    self = match
  }
}
