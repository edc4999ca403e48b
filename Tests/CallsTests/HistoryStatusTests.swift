import Testing

@testable import Calls

@Suite struct HistoryStatusTests {
  private func statuses(
    _ status: CallStatus, _ reason: EndReason?, invited: Bool = true, accepted: Bool
  ) -> [HistoryStatus?] {
    var call = Call.sample(.ringing)
    call.wasInvited = invited
    (call.status, call.endReason) = (status, reason)
    if accepted { call.acceptedAt = dawn }
    return [call.historyStatus(of: alice), call.historyStatus(of: bob)]
  }

  @Test("§7.2 cancelled and unanswered: missed for both")
  func missed() {
    #expect(statuses(.ended, .cancelled, accepted: false) == [.missed, .missed])
    #expect(statuses(.missed, .timeout, accepted: false) == [.missed, .missed])
  }

  @Test("§7.2 declined, unavailable: rejected for both; busy: only for the caller")
  func rejected() {
    #expect(statuses(.rejected, .declined, accepted: false) == [.rejected, .rejected])
    #expect(statuses(.rejected, .unavailable, accepted: false) == [.rejected, .rejected])
    #expect(statuses(.rejected, .busy, accepted: false) == [.rejected, .missed])
    #expect(statuses(.rejected, .timeout, accepted: false) == [.missed, .missed])
  }

  @Test("contract 11.2 a call that never rang: rejected for the caller, missed for the callee")
  func neverRang() {
    for reason in [EndReason.busy, .unavailable] {
      #expect(
        statuses(.rejected, reason, invited: false, accepted: false) == [.rejected, .missed])
    }
  }

  @Test("§7.2 accepted and ended, however: completed, unless it failed")
  func completed() {
    for reason in EndReason.allCases {
      #expect(statuses(.ended, reason, accepted: true) == [.completed, .completed])
      #expect(statuses(.failed, reason, accepted: true) == [.failed, .failed])
      #expect(statuses(.failed, reason, accepted: false) == [.failed, .failed])
    }
  }

  @Test("a live call has no place in a history")
  func live() {
    for status in CallStatus.allCases where !status.isTerminal {
      #expect(statuses(status, nil, accepted: true) == [nil, nil])
    }
  }
}
