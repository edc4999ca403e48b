// What Agora reports of a call's channel (contract §9.2).

import System

package struct ChannelEvent: Sendable, Equatable {
  package enum Kind: Sendable, Equatable {
    /// - Parameter sequence: Rises with the events of a uid.
    case joined(uid: UInt32, sequence: UInt64)
    /// - Parameter reason: Agora's code; 1 where the user left by itself.
    case left(uid: UInt32, sequence: UInt64, reason: Int32?)
    /// The last user has left, and the channel is gone.
    case destroyed
  }

  /// Of the notice that reports it; a notice counts once, however often it is delivered.
  package let noticeId: String
  package let channelId: String
  package let kind: Kind
  /// When it happened, to the second, by Agora's clock; nil where that is not told.
  package let occurredAtSeconds: Int64?
  /// When this delivery was sent, by Agora's clock.
  package let notifiedAt: Timestamp

  package init(
    noticeId: String, channelId: String, kind: Kind, occurredAtSeconds: Int64?,
    notifiedAt: Timestamp
  ) {
    (self.noticeId, self.channelId, self.kind) = (noticeId, channelId, kind)
    (self.occurredAtSeconds, self.notifiedAt) = (occurredAtSeconds, notifiedAt)
  }

  /// Whom it is about; nil for the channel itself.
  package var uid: UInt32? {
    switch kind {
    case .joined(let uid, _), .left(let uid, _, _): uid
    case .destroyed: nil
    }
  }

  /// When it happened, as nearly as is known: no later than the second that is told, than its notice and
  /// than now. A time before the call was made is another clock's, and the notice's arrival stands for it.
  package func time(in call: Call, receivedAt now: Timestamp) -> Timestamp {
    let second = occurredAtSeconds.map { Timestamp(milliseconds: $0 * 1000 + 999) }
    let told = min(second ?? notifiedAt, notifiedAt, now)
    return told < call.createdAt ? now : told
  }
}
