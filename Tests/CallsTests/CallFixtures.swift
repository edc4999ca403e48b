// Calls to try the rules on: Alice calls Bob, Carol has nothing to do with it.

import System

@testable import Calls

let alice = "alice"
let bob = "bob"
let carol = "carol"

let dawn = Timestamp(iso8601: "2026-05-04T03:02:01.500Z")!
let ringSeconds = 60
let maximumSeconds = 7200

let unanswered: [CallStatus] = [.initiating, .ringing]
let answered: [CallStatus] = [.connecting, .connected, .disconnecting]
let terminal: [CallStatus] = [.ended, .missed, .rejected, .failed]

extension Call {
  /// A call that came to a status in the ordinary way: made at dawn, accepted after 10 s by a phone,
  /// connected after 12 s.
  static func sample(_ status: CallStatus, type: CallType = .video) -> Call {
    var call = Call(
      id: "018f3f5e-0000-7000-8000-000000000001", channelId: "channel", callerId: alice,
      calleeId: bob, type: type, status: status, createdAt: dawn, ringSeconds: ringSeconds)
    if answered.contains(status) || status == .ended {
      call.acceptedAt = dawn.adding(seconds: 10)
      call.acceptedDevice = "phone"
      call.deadlineAt = dawn.adding(seconds: 10 + Int64(maximumSeconds))
    }
    if [.connected, .disconnecting, .ended].contains(status) {
      call.connectedAt = dawn.adding(seconds: 12)
    }
    if status.isTerminal {
      (call.endedAt, call.deadlineAt) = (dawn.adding(seconds: 30), nil)
      call.endReason =
        switch status {
        case .missed: .timeout
        case .rejected: .declined
        case .failed: .failed
        default: .hangup
        }
    }
    return call
  }
}

/// Runs a rule and gives back the error that it refuses with, or nil.
func refusal(_ rule: () throws(CallError) -> CallChange?) -> CallError? {
  do throws(CallError) {
    _ = try rule()
    return nil
  } catch { return error }
}
