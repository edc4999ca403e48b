// Which requests to servers elsewhere a change of a call asks for: webhooks of the application (contract §8.1)
// and kicks at Agora (§9.4). Recorded in the transaction of the change, sent by chattrix-webhooks.

package enum WebhookType: String, Sendable, CaseIterable {
  case invitation = "call.invitation"
  case stoppedRinging = "call.stopped_ringing"
  case missed = "call.missed"
  case ended = "call.ended"

  /// The place in the order of a call, counted from 1, as `webhook_events.sequence` has it.
  package var sequence: Int { Self.allCases.firstIndex(of: self)! + 1 }

  /// - Returns: nil where the text is none of the types.
  package init?(sequence: Int) {
    guard 1...Self.allCases.count ~= sequence else { return nil }
    self = Self.allCases[sequence - 1]
  }

  /// How long after the ring deadline it is still worth sending; nil for ever.
  package var secondsAfterExpiry: Int64? {
    switch self {
    case .invitation, .stoppedRinging: 60
    case .missed, .ended: nil
    }
  }
}

/// What an installation wants to be recorded; empty where nothing is configured.
package struct Recording: OptionSet, Sendable, Hashable {
  /// The bits of `record_webhooks`.
  package let rawValue: Int

  package init(rawValue: Int) { self.rawValue = rawValue }

  package init(_ type: WebhookType) { self.init(rawValue: 1 << (type.sequence - 1)) }

  package init(_ types: some Collection<WebhookType>) {
    self = types.reduce(into: []) { $0.insert(Recording($1)) }
  }

  /// A kick at Agora of everybody in the channel of a call.
  package static let kick = Recording(rawValue: 1 << WebhookType.allCases.count)
  /// The place of a kick in `webhook_events.sequence`.
  package static let kickSequence = WebhookType.allCases.count + 1

  /// What is to be recorded of a change.
  /// - Parameter call: As it was before.
  package func mask(of change: CallChange, from call: Call) -> Int {
    if isEmpty { return 0 }
    let after = change.call
    var due: Recording = []
    if call.status.isUnanswered, !after.status.isUnanswered { due.insert(.init(.stoppedRinging)) }
    if after.status.isTerminal { due.formUnion(Self.ending(after)) }
    if change.clearsChannel { due.insert(.kick) }
    return intersection(due).rawValue
  }

  /// Of a call that has been made.
  package func mask(ofInvitation call: Call) -> Int {
    intersection(Recording(.invitation)).rawValue
  }

  /// Of a call that was refused before it rang: it has no invitation and nothing stops ringing.
  package func mask(ofRefused call: Call) -> Int { intersection(Self.ending(call)).rawValue }

  private static func ending(_ call: Call) -> Recording {
    let isMissed = call.historyStatus(of: call.calleeId) == .missed
    return Recording(isMissed ? [.missed, .ended] : [WebhookType.ended])
  }
}

extension Call {
  /// How an invitation that is over turned out (contract §8.1); nil while it rings.
  package var ringOutcome: RingOutcome? {
    if status.isUnanswered { return nil }
    if acceptedAt != nil { return .accepted }
    return switch status {
    case .rejected: .rejected
    case .missed: .missed
    case .failed: .failed
    default: .cancelled
    }
  }
}

package enum RingOutcome: String, Sendable, CaseIterable {
  case accepted, rejected, cancelled, missed, failed
}
