// calls list, calls show, calls end.

import Calls
import Storage
import System

enum CallCommands {
  static let all = [
    Command(
      name: "calls list", synopsis: "calls list [--limit N]",
      summary: "the live calls, oldest first",
      valued: ["limit"], run: list),
    Command(
      name: "calls show", synopsis: "calls show CALL",
      summary: "everything of one call: its timeline, tokens and quality",
      details: """
        The timeline has the call's own times, each event that was written for a participant (and the
        participant's device that caused it), and each token that was issued. A requestId is that of the
        programs' log lines and of nginx's: journalctl -o cat | jq 'select(.requestId == "…")'.
        Events are kept for 24 hours, tokens' audit rows and quality samples as long as the settings say.
        """, run: show),
    Command(
      name: "calls end", synopsis: "calls end CALL",
      summary: "end a live call and tell both participants", run: end),
  ]

  private static func list(_ arguments: Arguments, _ session: Session) throws {
    _ = try arguments.exactly()
    let limit = try arguments.number("limit", in: 1...100_000, standard: 100)
    session.output.table(
      ["id", "type", "status", "caller", "callee", "created"],
      try session.calls.live(limit: limit).map { call in
        [
          call.id, call.type.rawValue, call.status.rawValue, call.callerId, call.calleeId,
          call.createdAt.iso8601,
        ]
      })
  }

  private static func show(_ arguments: Arguments, _ session: Session) throws {
    let id = try arguments.exactly("CALL")[0]
    guard let call = try session.calls.find(id) else { throw Failure("There is no call \(id).") }
    let timeline = try CallTimeline(of: call, session.database)
    let media = try session.media.presence(of: call.id)
    session.output.record(members(call, media), lists(timeline))
  }

  private static func lists(_ timeline: CallTimeline) -> [Output.List] {
    [
      Output.List(
        name: "timeline",
        columns: ["time", "kind", "name", "user", "device", "eventId", "requestId", "details"],
        rows: timeline.entries.map { entry in
          [
            entry.time.iso8601, entry.kind.rawValue, entry.name, entry.userId, entry.device,
            entry.eventId.map { String($0) }, entry.requestId, entry.details,
          ]
        }),
      Output.List(
        name: "quality",
        columns: [
          "user", "samples", "first", "last", "score", "loss", "highestLoss", "roundTrip",
          "highestRoundTrip", "meanOpinionScore",
        ],
        rows: timeline.quality.map { quality in
          let means = quality.means
          return [
            quality.userId, String(means.samples), quality.firstAt.iso8601, quality.lastAt.iso8601,
          ]
            + [
              means.averageScore, means.averagePacketLossRate, quality.highestPacketLossRate,
              means.averageRoundTripTime, quality.highestRoundTripTime, means.meanOpinionScore,
            ].map { $0.map(rounded) }
        }),
    ]
  }

  /// To four decimals.
  private static func rounded(_ number: Double) -> String {
    ((number * 10_000).rounded() / 10_000).description
  }

  private static func end(_ arguments: Arguments, _ session: Session) throws {
    let id = try arguments.exactly("CALL")[0]
    guard let call = try session.calls.endByOperator(id) else {
      throw Failure("There is no call \(id).")
    }
    session.output.record(members(call, try session.media.presence(of: call.id)))
  }

  private static func members(_ call: Call, _ media: MediaPresence?) -> [(
    name: String, value: String?
  )] {
    [
      ("id", call.id), ("channel", call.channelId), ("type", call.type.rawValue),
      ("status", call.status.rawValue), ("endReason", call.endReason?.rawValue),
      ("caller", call.callerId), ("callee", call.calleeId),
      ("created", call.createdAt.iso8601), ("expires", call.expiresAt.iso8601),
      ("accepted", call.acceptedAt?.iso8601), ("connected", call.connectedAt?.iso8601),
      ("ended", call.endedAt?.iso8601), ("deadline", call.deadlineAt?.iso8601),
      ("durationSeconds", String(call.durationSeconds)),
      ("callerMedia", media?.caller.map(describe)), ("calleeMedia", media?.callee.map(describe)),
    ]
  }

  /// In or out of Agora's channel, since when, and Agora's code of why.
  private static func describe(_ participant: MediaPresence.Participant) -> String {
    let state = participant.isJoined ? MediaState.joined : .left
    let reason = participant.leaveReason.map { " (reason \($0))" } ?? ""
    return "\(state.rawValue) \(participant.since.iso8601)\(reason)"
  }
}
