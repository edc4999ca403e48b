// The statuses of a call and the state machine that a client's PATCH is held to (R8, contract §5):
// one table, which the rules and the tests share.

package enum CallStatus: String, Sendable, CaseIterable {
  case initiating, ringing, connecting, connected, disconnecting
  case ended, missed, rejected, failed

  /// What a client's PATCH may set next (R8.2–R8.4). Accept, reject, end, time-outs and the system's
  /// own endings are operations of their own (contract §7.1).
  package static let transitions: [CallStatus: [CallStatus]] = [
    .initiating: [],
    .ringing: [.connecting],
    .connecting: [.connected, .disconnecting],
    .connected: [.disconnecting],
    .disconnecting: [],
    .ended: [], .missed: [], .rejected: [], .failed: [],
  ]

  package var allowedNext: [CallStatus] { CallStatus.transitions[self] ?? [] }

  package var isTerminal: Bool {
    switch self {
    case .ended, .missed, .rejected, .failed: true
    case .initiating, .ringing, .connecting, .connected, .disconnecting: false
    }
  }

  /// The callee has not answered yet.
  package var isUnanswered: Bool { self == .initiating || self == .ringing }
}
