// What a call makes of Agora's word on its channel (contract §9.2): connected when both are in it, over
// when neither is any more.

import System

/// What is to be done about a call, and when to look at it again.
package struct MediaOutcome: Sendable, Equatable {
  package var change: CallChange?
  /// nil: not before Agora reports something.
  package var dueAt: Timestamp?
}

extension Call {
  /// Agora's code for a user who left by itself.
  private static let leftByItself: Int32 = 1
  /// After this time a call whose participants are both in the channel before the answer is looked at again.
  private static let answerPollSeconds: Int64 = 1
  /// How long the notices of who left, and why, may follow that of the channel's end.
  private static let explanationSeconds: Int64 = 2

  /// - Parameter absenceSeconds: How long neither may be in the channel (AGORA_ABSENCE_SECONDS).
  package func following(_ media: MediaPresence, absenceSeconds: Int, at now: Timestamp)
    -> MediaOutcome
  {
    if status.isTerminal { return MediaOutcome() }
    if media.areBothJoined {
      if status == .connecting { return MediaOutcome(change: connectedByMedia(at: now)) }
      return MediaOutcome(
        dueAt: status.isUnanswered ? now.adding(seconds: Self.answerPollSeconds) : nil)
    }
    guard let absentSince = media.absentSince, let last = media.lastToLeave else {
      return MediaOutcome()
    }
    // A participant who waited in the channel for the answer and left again may come back after it: the
    // absence counts from the answer.
    guard !status.isUnanswered, let acceptedAt else {
      return MediaOutcome(dueAt: now.adding(seconds: Int64(absenceSeconds)))
    }
    var dueAt = max(absentSince, acceptedAt).adding(seconds: Int64(absenceSeconds))
    if media.destroyedAt != nil, absentSince >= acceptedAt {
      let isExplained = media.isExplained
      dueAt = min(dueAt, absentSince.adding(seconds: isExplained ? 0 : Self.explanationSeconds))
    }
    if now < dueAt { return MediaOutcome(dueAt: dueAt) }
    return MediaOutcome(
      change: endedBySystem(
        last.leaveReason == Self.leftByItself ? .hangup : .connectionLost,
        at: min(now, max(last.since, connectedAt ?? acceptedAt))))
  }

  /// Both participants get an event without a user in `updatedBy`.
  private func connectedByMedia(at now: Timestamp) -> CallChange {
    var call = self
    call.status = .connected
    call.connectedAt = now
    let event = CallEvent.statusUpdated(callId: id, status: .connected, by: nil)
    return CallChange(
      call: call,
      events: [OutgoingEvent(to: callerId, event), OutgoingEvent(to: calleeId, event)])
  }
}
