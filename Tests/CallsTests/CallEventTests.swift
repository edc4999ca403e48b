// What an event carries (contract §6.2).

import JSON
import System
import Testing

@testable import Calls

@Suite struct CallEventTests {
  private let id = Call.sample(.ringing).id

  private func data(_ event: CallEvent) throws -> JSONValue { try JSONParser.parse(event.data) }

  @Test("R1.3 R2.1 R11.1 an invitation tells who calls, how, and until when")
  func invitation() throws {
    let call = Call.sample(.initiating)
    let caller = Party(id: alice, name: "Alice \"A\"\n", avatar: nil)
    let event = CallEvent.invitation(call: call, caller: caller)
    #expect(event.type == "call_invitation")
    #expect(
      try data(event) == [
        "callId": .string(id), "channelId": "channel", "callerId": "alice",
        "callerName": "Alice \"A\"\n", "callerAvatar": nil, "callType": "video",
        "expiresAt": "2026-05-04T03:03:01.500Z",
      ])
  }

  @Test("R11.2–R11.5 the others carry what the contract says, and no more")
  func others() throws {
    let expected: [(CallEvent, String, JSONValue)] = [
      (.ringing(callId: id), "call_ringing", ["callId": .string(id)]),
      (
        .accepted(callId: id, channelId: "ch", by: bob), "call_accepted",
        ["callId": .string(id), "channelId": "ch", "acceptedBy": "bob"]
      ),
      (
        .answeredElsewhere(callId: id, outcome: .rejected), "call_answered_elsewhere",
        ["callId": .string(id), "outcome": "rejected"]
      ),
      (
        .rejected(callId: id, by: bob, reason: .unavailable), "call_rejected",
        ["callId": .string(id), "rejectedBy": "bob", "reason": "unavailable"]
      ),
      (
        .statusUpdated(callId: id, status: .connected, by: alice), "call_status_updated",
        ["callId": .string(id), "status": "connected", "updatedBy": "alice"]
      ),
      (
        .ended(callId: id, by: nil, reason: .maxDuration, durationSeconds: 7200), "call_ended",
        [
          "callId": .string(id), "endedBy": nil, "endReason": "max_duration",
          "durationSeconds": 7200,
        ]
      ),
      (.timeout(callId: id), "call_timeout", ["callId": .string(id)]),
      (
        .qualityWarning(callId: id, participantId: bob, quality: .veryBad),
        "call_quality_warning",
        ["callId": .string(id), "participantId": "bob", "networkQuality": "veryBad"]
      ),
    ]
    for (event, type, members) in expected {
      #expect(event.type == type)
      #expect(event.callId == id)
      #expect(try data(event) == members)
    }
  }
}
