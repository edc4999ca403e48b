// A call as the `calls` table holds it.

import System

package struct Call: Sendable, Equatable {
  package var id: String
  package var channelId: String
  package var callerId: String
  package var calleeId: String
  package var type: CallType
  package var status: CallStatus
  package var endReason: EndReason?
  /// False for a call that was recorded and never rang, its callee being busy or not to be disturbed.
  package var wasInvited = true
  /// The device that accepted, where it named itself (contract §7.6).
  package var acceptedDevice: String?
  package var createdAt: Timestamp
  /// When it stops ringing: `createdAt` plus exactly the call timeout.
  package var expiresAt: Timestamp
  package var acceptedAt: Timestamp?
  package var connectedAt: Timestamp?
  package var endedAt: Timestamp?
  /// When the sweeper has to act: the ring deadline, then the maximum duration, then the end of
  /// `disconnecting`; nil once the call is over.
  package var deadlineAt: Timestamp?
  package var durationSeconds: Int
  package var quality: CallQuality

  package init(
    id: String, channelId: String, callerId: String, calleeId: String, type: CallType,
    status: CallStatus = .initiating, createdAt: Timestamp, ringSeconds: Int
  ) {
    (self.id, self.channelId) = (id, channelId)
    (self.callerId, self.calleeId) = (callerId, calleeId)
    (self.type, self.status) = (type, status)
    self.createdAt = createdAt
    expiresAt = createdAt.adding(seconds: Int64(ringSeconds))
    deadlineAt = expiresAt
    durationSeconds = 0
    quality = CallQuality()
  }

  /// The call begins at another time than it was meant to.
  package mutating func begins(at time: Timestamp, ringSeconds: Int) {
    createdAt = time
    expiresAt = time.adding(seconds: Int64(ringSeconds))
    deadlineAt = expiresAt
  }

  package func isCaller(_ userId: String) -> Bool { UserID.areSame(userId, callerId) }

  package func isCallee(_ userId: String) -> Bool { UserID.areSame(userId, calleeId) }

  package func isParticipant(_ userId: String) -> Bool { isCaller(userId) || isCallee(userId) }

  /// The other of the two.
  package func peer(of userId: String) -> String { isCaller(userId) ? calleeId : callerId }

  /// When talking began: `connected`, or acceptance where the call ended before a client reported
  /// that; nil before either.
  package var startTime: Timestamp? { connectedAt ?? (status.isTerminal ? acceptedAt : nil) }

  /// Whole seconds from `connected`, or else acceptance, to `end` (R5.2); 0 where nobody answered.
  package func duration(to end: Timestamp) -> Int {
    guard let start = connectedAt ?? acceptedAt else { return 0 }
    return max(0, Int((end.milliseconds - start.milliseconds) / 1000))
  }

  /// How this call reads in a participant's history (contract §7.2); nil while it is live.
  package func historyStatus(of userId: String) -> HistoryStatus? {
    guard status.isTerminal else { return nil }
    return HistoryStatus(
      status: status, endReason: endReason, wasInvited: wasInvited, wasAccepted: acceptedAt != nil,
      isCaller: isCaller(userId))
  }
}

extension HistoryStatus {
  /// A call that never rang is rejected for the caller and missed for the callee. Of the others, cancelled
  /// and unanswered is missed for both; declined and unavailable rejected for both; busy rejected for the
  /// caller and missed for the callee; accepted completed, unless it failed.
  package init(
    status: CallStatus, endReason: EndReason?, wasInvited: Bool, wasAccepted: Bool, isCaller: Bool
  ) {
    self =
      switch endReason {
      case _ where !wasInvited: isCaller ? .rejected : .missed
      case _ where status == .failed: .failed
      case _ where wasAccepted: .completed
      case .declined, .unavailable: .rejected
      case .busy: isCaller ? .rejected : .missed
      default: .missed
      }
  }
}

/// How a user is shown to others.
package struct Party: Sendable, Equatable {
  package let id: String
  package let name: String?
  package let avatar: String?

  package init(id: String, name: String?, avatar: String?) {
    (self.id, self.name, self.avatar) = (id, name, avatar)
  }
}
