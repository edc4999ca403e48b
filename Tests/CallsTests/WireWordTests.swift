// The words of the wire: sent in lower case, read in any (contract §1).

import Testing

@testable import Calls

@Suite struct WireWordTests {
  private func reads<Word: CaseIterable & RawRepresentable & Equatable>(_ type: Word.Type) -> Bool
  where Word.RawValue == String {
    Word.allCases.allSatisfy { word in
      let raw = word.rawValue
      let snake = raw.reduce(into: "") { $0 += $1.isUppercase ? "_\($1)" : String($1) }
      return [
        raw, raw.lowercased(), raw.uppercased(), snake.uppercased(), snake.lowercased(),
        raw.prefix(1).uppercased() + raw.dropFirst(),
      ].allSatisfy { Word(wire: $0) == word }
    }
  }

  @Test("§1 every word is read in any case, with or without underscores")
  func anyCase() {
    #expect(reads(CallType.self))
    #expect(reads(CallStatus.self))
    #expect(reads(EndReason.self))
    #expect(reads(RejectReason.self))
    #expect(reads(HistoryStatus.self))
    #expect(reads(NetworkQuality.self))
    #expect(NetworkQuality(wire: "VERY_BAD") == .veryBad)
    #expect(NetworkQuality(wire: "veryBad") == .veryBad)
    #expect(EndReason(wire: "connectionLost") == .connectionLost)
  }

  @Test("§1 anything else is no word", arguments: ["", " audio", "audio ", "phone", "аudio", "__"])
  func foreign(text: String) {
    #expect(CallType(wire: text) == nil)
    #expect(CallStatus(wire: text) == nil)
  }

  @Test("§1 words are sent in lower case; veryBad is the one with a capital")
  func lowerCase() {
    let words =
      CallType.allCases.map(\.rawValue) + CallStatus.allCases.map(\.rawValue)
      + EndReason.allCases.map(\.rawValue) + HistoryStatus.allCases.map(\.rawValue)
      + NetworkQuality.allCases.map(\.rawValue)
    #expect(words.filter { $0 != $0.lowercased() } == ["veryBad"])
  }

  @Test("R7.1 R7.4 scores run from 5 to 1, unknown has none, poor and worse warn")
  func qualities() {
    #expect(NetworkQuality.allCases.map(\.score) == [5, 4, 3, 2, 1, nil])
    #expect(NetworkQuality.allCases.filter(\.isPoor) == [.poor, .bad, .veryBad])
    #expect(NetworkQuality(averageScore: nil) == nil)
    #expect(NetworkQuality(averageScore: 5) == .excellent)
    #expect(NetworkQuality(averageScore: 4.4) == .good)
    #expect(NetworkQuality(averageScore: 1.2) == .veryBad)
    #expect(NetworkQuality(averageScore: 2.5) == .poor)
  }
}
