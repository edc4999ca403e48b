// What calls make of who is in their channels (contract §9.2).

import System
import Testing

@testable import Calls

@Suite struct MediaRulesTests {
  private static let absenceSeconds = 20
  /// Of the participants' leaving; the sample's call was connected after 12 s.
  private let leftAt = dawn.adding(seconds: 30)

  private func joined(since: Timestamp = dawn.adding(seconds: 11)) -> MediaPresence.Participant {
    MediaPresence.Participant(sequence: 1, isJoined: true, since: since, leaveReason: nil)
  }

  private func left(_ seconds: Int64 = 0, reason: Int32? = 1) -> MediaPresence.Participant {
    MediaPresence.Participant(
      sequence: 2, isJoined: false, since: leftAt.adding(seconds: seconds), leaveReason: reason)
  }

  /// Neither is in the channel, which the server knows a second after the last left.
  private func absent(
    caller: MediaPresence.Participant?, callee: MediaPresence.Participant?
  ) -> MediaPresence {
    var media = MediaPresence()
    (media.caller, media.callee) = (caller, callee)
    media.absentSince = leftAt.adding(seconds: 1)
    return media
  }

  private func both() -> MediaPresence {
    var media = MediaPresence()
    (media.caller, media.callee) = (joined(), joined())
    return media
  }

  private func follow(
    _ call: Call, _ media: MediaPresence, after seconds: Int64
  ) -> MediaOutcome {
    call.following(
      media, absenceSeconds: Self.absenceSeconds, at: leftAt.adding(seconds: seconds))
  }

  @Test("§9.2 both are in the channel of a connecting call: connected, and both are told")
  func connected() throws {
    let outcome = follow(.sample(.connecting), both(), after: 0)
    let change = try #require(outcome.change)
    #expect(outcome.dueAt == nil)
    #expect(change.call.status == .connected)
    #expect(change.call.connectedAt == leftAt)
    #expect(change.call.deadlineAt == Call.sample(.connecting).deadlineAt)
    let event = CallEvent.statusUpdated(callId: change.call.id, status: .connected, by: nil)
    #expect(change.events == [OutgoingEvent(to: alice, event), OutgoingEvent(to: bob, event)])
    #expect(String(decoding: event.data, as: UTF8.self).hasSuffix(#""updatedBy":null}"#))
  }

  @Test(
    "§9.2 connected before, or on its way out: nothing",
    arguments: [CallStatus.connected, .disconnecting])
  func connectedBefore(status: CallStatus) {
    #expect(follow(.sample(status), both(), after: 0) == MediaOutcome())
  }

  @Test("§9.2 both are there before the answer: looked at again until then", arguments: unanswered)
  func early(status: CallStatus) {
    let outcome = follow(.sample(status), both(), after: 0)
    #expect(outcome == MediaOutcome(dueAt: leftAt.adding(seconds: 1)))
  }

  @Test("§9.2 one of them is there: nothing", arguments: answered)
  func alone(status: CallStatus) {
    var media = MediaPresence()
    media.caller = joined()
    #expect(follow(.sample(status), media, after: 3600) == MediaOutcome())
    media.callee = left()
    #expect(follow(.sample(status), media, after: 3600) == MediaOutcome())
  }

  @Test("§9.2 Agora never reported anybody: untouched", arguments: answered)
  func unreported(status: CallStatus) {
    var media = MediaPresence()
    media.destroyedAt = leftAt
    #expect(follow(.sample(status), media, after: 3600) == MediaOutcome())
  }

  @Test("§9.2 a call that is over stays as it is", arguments: terminal)
  func over(status: CallStatus) {
    #expect(follow(.sample(status), both(), after: 0) == MediaOutcome())
    let media = absent(caller: left(), callee: left())
    #expect(follow(.sample(status), media, after: 3600) == MediaOutcome())
  }

  @Test("§9.2 neither is there for long enough: over when the last left", arguments: answered)
  func absence(status: CallStatus) throws {
    let media = absent(caller: left(-5, reason: 2), callee: left())
    let dueAt = leftAt.adding(seconds: 21)
    #expect(follow(.sample(status), media, after: 20) == MediaOutcome(dueAt: dueAt))
    let change = try #require(follow(.sample(status), media, after: 21).change)
    #expect(change.call.status == .ended)
    #expect(change.call.endReason == .hangup)
    #expect(change.call.endedAt == leftAt)
    #expect(change.call.deadlineAt == nil)
    #expect(change.call.durationSeconds == (status == .connecting ? 20 : 18))
    let event = CallEvent.ended(
      callId: change.call.id, by: nil, reason: .hangup,
      durationSeconds: change.call.durationSeconds)
    #expect(change.events == [OutgoingEvent(to: alice, event), OutgoingEvent(to: bob, event)])
    #expect(change.call.historyStatus(of: alice) == .completed)
  }

  @Test(
    "§9.2 the last one did not leave by itself: the connection was lost",
    arguments: [0, 2, 3, 4, 5, 9, 10, 12, 99, 999, nil] as [Int32?])
  func lost(reason: Int32?) throws {
    let media = absent(caller: left(-5), callee: left(0, reason: reason))
    let change = try #require(follow(.sample(.connected), media, after: 30).change)
    #expect(change.call.endReason == .connectionLost)
    #expect(change.call.endedAt == leftAt)
  }

  @Test("§9.2 the other was never reported: not in the channel either")
  func neverThere() throws {
    let media = absent(caller: left(reason: 2), callee: nil)
    #expect(follow(.sample(.connecting), media, after: 20).change == nil)
    let change = try #require(follow(.sample(.connecting), media, after: 21).change)
    #expect(change.call.endReason == .connectionLost)
  }

  @Test("§9.2 who left before the answer has until some time after it to come back")
  func beforeTheAnswer() throws {
    var call = Call.sample(.ringing)
    let media = absent(caller: left(), callee: nil)
    #expect(
      follow(call, media, after: 25)
        == MediaOutcome(dueAt: leftAt.adding(seconds: 45)))
    call.status = .connecting
    call.acceptedAt = leftAt.adding(seconds: 24)
    let dueAt = leftAt.adding(seconds: 44)
    #expect(follow(call, media, after: 25) == MediaOutcome(dueAt: dueAt))
    let change = try #require(follow(call, media, after: 44).change)
    #expect(change.call.endedAt == call.acceptedAt, "nobody talked")
    #expect(change.call.durationSeconds == 0)
  }

  @Test("§9.2 the channel is gone and all have said goodbye: over at once")
  func destroyed() throws {
    var media = absent(caller: left(-5, reason: 2), callee: left())
    media.destroyedAt = leftAt
    let change = try #require(follow(.sample(.connected), media, after: 1).change)
    #expect(change.call.endReason == .hangup)
    #expect(change.call.endedAt == leftAt)
  }

  @Test("§9.2 the channel is gone: who left, and why, may be told for two seconds more")
  func destroyedUnexplained() throws {
    var media = absent(caller: left(-5), callee: left(reason: nil))
    media.destroyedAt = leftAt
    let dueAt = leftAt.adding(seconds: 3)
    #expect(follow(.sample(.connected), media, after: 1) == MediaOutcome(dueAt: dueAt))
    let change = try #require(follow(.sample(.connected), media, after: 3).change)
    #expect(change.call.endReason == .connectionLost)
  }

  @Test("§9.2 a channel that was gone before the answer is no end of the call")
  func destroyedBeforeTheAnswer() {
    var call = Call.sample(.connecting)
    call.acceptedAt = leftAt.adding(seconds: 24)
    var media = absent(caller: left(), callee: nil)
    media.destroyedAt = leftAt
    #expect(follow(call, media, after: 25) == MediaOutcome(dueAt: leftAt.adding(seconds: 44)))
  }

  @Test("§9.2 no call ends before it was connected, or after now")
  func bounds() throws {
    let early = absent(caller: left(-25), callee: left(-26))
    let change = try #require(follow(.sample(.connected), early, after: 30).change)
    #expect(change.call.endedAt == Call.sample(.connected).connectedAt)
    #expect(change.call.durationSeconds == 0)
    let late = absent(caller: left(90), callee: nil)
    #expect(
      follow(.sample(.connected), late, after: 30).change?.call.endedAt
        == leftAt.adding(seconds: 30))
  }
}
