// Agora's reports on the channel of a call, as the tests make them.

import Calls
import MySQL
import System

@testable import Storage

extension Stores {
  /// The uid of a participant in a call's channel.
  func uid(_ user: String, in call: Call) -> UInt32 {
    AgoraUID.uid(of: user, callerId: call.callerId, calleeId: call.calleeId)
  }

  func joined(_ user: String, _ call: Call, _ sequence: UInt64) throws {
    try report(call, .joined(uid: uid(user, in: call), sequence: sequence))
  }

  func left(_ user: String, _ call: Call, _ sequence: UInt64, reason: Int32 = 1) throws {
    try report(call, .left(uid: uid(user, in: call), sequence: sequence, reason: reason))
  }

  /// - Parameter noticeId: A new one without it.
  func report(
    _ call: Call, _ kind: ChannelEvent.Kind, noticeId: String? = nil,
    at time: Timestamp = .now()
  ) throws {
    try media.record(
      ChannelEvent(
        noticeId: noticeId ?? Randomness.system.hexadecimal(bytes: 12), channelId: call.channelId,
        kind: kind, occurredAtSeconds: time.seconds, notifiedAt: time))
  }

  /// Lets the times of a call's presence have been earlier.
  func agePresence(of call: Call, seconds: Int) throws {
    let columns = ["caller_since", "callee_since", "destroyed_at", "absent_since", "due_at"]
    try connection.execute(
      """
      UPDATE agora_presence
      SET \(columns.map { "\($0) = \($0) - INTERVAL \(seconds) SECOND" }.joined(separator: ", "))
      WHERE call_id = ?
      """, [.text(call.id)])
  }

  func dueAt(_ call: Call) throws -> Timestamp? {
    try connection.queryRow(
      "SELECT due_at FROM agora_presence WHERE call_id = ?", [.text(call.id)])?.time(0)
  }
}
