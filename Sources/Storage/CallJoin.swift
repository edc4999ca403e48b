// Two users who call each other at the same moment (contract §11.3): one of the two calls is made, and the other
// user's request may join it, which is an accept like any other.

import Calls

/// A call that keeps a user busy, from the very user whom that one calls.
struct IncomingCall: Sendable {
  let id: String
  /// As it was when the claim failed.
  let status: CallStatus
  let from: Party
  let to: Party
}

enum Joining {
  case joined(Initiation)
  /// It has ended meanwhile, so its callee may be idle.
  case isOver
  /// Another device of its callee has accepted it.
  case isTaken
}

extension CallStore {
  /// Accepts the call. One that this device has accepted before is joined again: so a request whose response
  /// was lost can be repeated.
  func join(_ incoming: IncomingCall, by userId: String, from origin: Origin) throws -> Joining {
    do {
      let call = try accept(incoming.id, by: userId, from: origin)
      return .joined(
        Initiation(
          details: CallDetails(call: call, caller: incoming.from, callee: incoming.to),
          isReplay: !incoming.status.isUnanswered, isJoined: true))
    } catch CallError.callTimeout, CallError.alreadyEnded, CallError.notFound {
      return .isOver
    } catch CallError.alreadyAccepted {
      return .isTaken
    }
  }
}
