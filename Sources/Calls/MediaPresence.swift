// Who is in a call's channel according to Agora (contract §9.2, §9.3), apart from what clients say.
// Notices come late, twice and in any order, so a state changes only by what is newer than itself.

import System

package struct MediaPresence: Sendable, Equatable {
  package struct Participant: Sendable, Equatable {
    /// Of the event that holds, the highest that came.
    package var sequence: UInt64
    package var isJoined: Bool
    /// When that began.
    package var since: Timestamp
    /// Agora's code of why the participant left; nil in the channel, and where that is not known yet.
    package var leaveReason: Int32?

    package init(sequence: UInt64, isJoined: Bool, since: Timestamp, leaveReason: Int32?) {
      (self.sequence, self.isJoined) = (sequence, isJoined)
      (self.since, self.leaveReason) = (since, leaveReason)
    }
  }

  package enum Role: Sendable { case caller, callee }

  /// nil where Agora has never reported the participant.
  package var caller: Participant?
  package var callee: Participant?
  /// When the channel was destroyed, if it has not been made anew since.
  package var destroyedAt: Timestamp?
  /// When the notice arrived by which no participant is in the channel any more, by the server's clock;
  /// nil while one is, and where none was ever reported.
  package var absentSince: Timestamp?

  package init() {}

  package var areBothJoined: Bool { caller?.isJoined == true && callee?.isJoined == true }

  private var reported: [Participant] { [caller, callee].compactMap { $0 } }

  /// A participant who was never reported is not in the channel.
  private var isAbsent: Bool { !reported.isEmpty && !reported.contains(where: \.isJoined) }

  /// The participant who left last, where both have left or were never there.
  var lastToLeave: Participant? { isAbsent ? reported.max { $0.since < $1.since } : nil }

  /// Whether it is known of all who were there why they left.
  var isExplained: Bool { reported.allSatisfy { $0.isJoined || $0.leaveReason != nil } }

  subscript(role: Role) -> Participant? {
    get { role == .caller ? caller : callee }
    set { if role == .caller { caller = newValue } else { callee = newValue } }
  }

  /// Takes an event in.
  /// - Parameters:
  ///   - role: Whose uid the event names; it is not looked at where the event is about the channel.
  ///   - time: When it happened.
  ///   - now: When its notice arrived.
  package mutating func take(
    _ kind: ChannelEvent.Kind, of role: Role, at time: Timestamp, receivedAt now: Timestamp
  ) {
    let before = self
    switch kind {
    case .joined(_, let sequence): join(role, sequence, at: time)
    case .left(_, let sequence, let reason): leave(role, sequence, at: time, reason)
    case .destroyed: destroy(at: time)
    }
    if self != before { absentSince = isAbsent ? now : nil }
  }

  private func isNewer(_ sequence: UInt64, _ role: Role) -> Bool {
    self[role].map { sequence > $0.sequence } ?? true
  }

  private mutating func join(_ role: Role, _ sequence: UInt64, at time: Timestamp) {
    guard isNewer(sequence, role) else { return }
    var participant = Participant(
      sequence: sequence, isJoined: true, since: time, leaveReason: nil)
    if let gone = destroyedAt, time.seconds < gone.seconds {
      // A late notice: who joined before the channel was destroyed is not in it.
      (participant.isJoined, participant.since) = (false, gone)
    } else {
      destroyedAt = nil
    }
    self[role] = participant
  }

  /// Of two who left at the same moment the one whose notice came later left last: the other leaves a
  /// millisecond earlier. Not this one a millisecond later: at the end of a second that would be the next one,
  /// and a channel's end within the second would be older than it.
  private mutating func leave(
    _ role: Role, _ sequence: UInt64, at time: Timestamp, _ reason: Int32?
  ) {
    guard isNewer(sequence, role) else { return }
    let peer: Role = role == .caller ? .callee : .caller
    if let other = self[peer], !other.isJoined, other.since == time {
      self[peer]?.since = Timestamp(milliseconds: time.milliseconds - 1)
    }
    self[role] = Participant(
      sequence: sequence, isJoined: false, since: time, leaveReason: reason)
  }

  /// Agora gives the channel's end no sequence number: its time decides. It does not count where it is
  /// older than what is known: those who have left are reported one by one as well.
  private mutating func destroy(at time: Timestamp) {
    let isLate = reported.contains {
      $0.isJoined ? time < $0.since : time.seconds < $0.since.seconds
    }
    if isLate { return }
    destroyedAt = max(time, destroyedAt ?? time)
    for role in [Role.caller, .callee] where self[role]?.isJoined == true {
      self[role]?.isJoined = false
      self[role]?.since = time
    }
  }
}

/// What `GET /calls/{callId}` says of a participant (contract §9.3).
package enum MediaState: String, Sendable {
  case joined, left

  /// nil where Agora has never reported the participant.
  package init?(isJoined: Bool?) {
    guard let isJoined else { return nil }
    self = isJoined ? .joined : .left
  }
}
