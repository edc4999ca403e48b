import System
import Testing

@testable import Calls

@Suite("Contract 8.1, 9.4: which webhooks and kicks a change asks for")
struct CallWebhookTests {
  private static let everything = Recording(WebhookType.allCases).union(.kick)
  private static let now = Timestamp(milliseconds: 1_800_000_000_000)

  private static func call(_ status: CallStatus) -> Call {
    var call = Call(
      id: "call", channelId: "channel", callerId: "alice", calleeId: "bob", type: .video,
      status: status, createdAt: now, ringSeconds: 60)
    if !status.isUnanswered { call.acceptedAt = now }
    if status == .connected || status == .disconnecting { call.connectedAt = now }
    return call
  }

  private func due(_ change: CallChange?, from call: Call) throws -> Recording {
    Recording(rawValue: Self.everything.mask(of: try #require(change), from: call))
  }

  private static func webhooks(_ types: WebhookType...) -> Recording { Recording(types) }

  @Test("Whichever way an invitation is over, the ringing stops once")
  func unanswered() throws {
    for status in [CallStatus.initiating, .ringing] {
      let call = Self.call(status)
      let accepted = try call.accepted(by: "bob", from: Origin(), at: Self.now, maximumSeconds: 60)
      #expect(try due(accepted, from: call) == Self.webhooks(.stoppedRinging))
      let rejected = try call.rejected(by: "bob", reason: .declined, from: Origin(), at: Self.now)
      #expect(try due(rejected, from: call) == Self.webhooks(.stoppedRinging, .ended))
      let busy = try call.rejected(by: "bob", reason: .busy, from: Origin(), at: Self.now)
      #expect(try due(busy, from: call) == Self.webhooks(.stoppedRinging, .missed, .ended))
      let cancelled = try call.ended(by: "alice", reason: .hangup, from: Origin(), at: Self.now)
      #expect(try due(cancelled, from: call) == Self.webhooks(.stoppedRinging, .missed, .ended))
      let expired = call.timedOut(at: Self.now)
      #expect(try due(expired, from: call) == Self.webhooks(.stoppedRinging, .missed, .ended))
    }
    let call = Self.call(.initiating)
    #expect(try due(call.ringing(), from: call) == [])
  }

  @Test("A call that was answered: its end, and a kick only where nobody hung up")
  func answered() throws {
    for status in [CallStatus.connecting, .connected, .disconnecting] {
      let call = Self.call(status)
      let ended = try call.ended(by: "bob", reason: .connectionLost, from: Origin(), at: Self.now)
      #expect(try due(ended, from: call) == Self.webhooks(.ended))
      for reason in [EndReason.maxDuration, .connectionLost] {
        let change = call.endedBySystem(reason, at: Self.now)
        #expect(try due(change, from: call) == Self.webhooks(.ended).union(.kick))
      }
      let byOperator = call.endedBySystem(.hangup, at: Self.now, clearsChannel: true)
      #expect(try due(byOperator, from: call) == Self.webhooks(.ended).union(.kick))
      let hangUp = call.endedBySystem(.hangup, at: Self.now)
      #expect(try due(hangUp, from: call) == Self.webhooks(.ended))
    }
  }

  @Test("What is not configured is not recorded")
  func configured() {
    let call = Self.call(.ringing)
    let expired = call.timedOut(at: Self.now)
    #expect(Recording().mask(of: expired, from: call) == 0)
    #expect(Recording([.ended]).mask(of: expired, from: call) == 8)
    #expect(Recording([.stoppedRinging]).mask(ofInvitation: call) == 0)
    #expect(Recording(.invitation).mask(ofInvitation: call) == 1)
  }

  @Test("The outcome of the ringing")
  func outcomes() throws {
    let call = Self.call(.ringing)
    func outcome(_ change: CallChange?) -> RingOutcome? { change?.call.ringOutcome }
    #expect(call.ringOutcome == nil)
    #expect(outcome(call.timedOut(at: Self.now)) == .missed)
    #expect(
      outcome(try call.rejected(by: "bob", reason: .busy, from: Origin(), at: Self.now))
        == .rejected)
    #expect(
      outcome(try call.ended(by: "alice", reason: .hangup, from: Origin(), at: Self.now))
        == .cancelled)
    var failed = call
    failed.status = .failed
    #expect(failed.ringOutcome == .failed)
    #expect(
      Self.call(.connected).endedBySystem(.failed, at: Self.now).call.ringOutcome == .accepted)
  }
}
