import Testing

@testable import Calls

@Suite struct CallStatusTests {
  @Test("R8.1 the table knows every status, and nothing leaves a terminal one")
  func tableIsComplete() {
    #expect(Set(CallStatus.transitions.keys) == Set(CallStatus.allCases))
    for status in terminal {
      #expect(status.isTerminal)
      #expect(status.allowedNext.isEmpty)
    }
    #expect(Set(CallStatus.allCases.filter(\.isTerminal)) == Set(terminal))
    #expect(Set(CallStatus.allCases.filter(\.isUnanswered)) == Set(unanswered))
  }

  @Test("R8.2–R8.4 the transitions are those of the contract")
  func transitions() {
    #expect(CallStatus.initiating.allowedNext == [])
    #expect(CallStatus.ringing.allowedNext == [.connecting])
    #expect(CallStatus.connecting.allowedNext == [.connected, .disconnecting])
    #expect(CallStatus.connected.allowedNext == [.disconnecting])
    #expect(CallStatus.disconnecting.allowedNext == [])
  }
}
