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
      name: "calls show", synopsis: "calls show CALL", summary: "everything of one call", run: show),
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
    print(call, session.output)
  }

  private static func end(_ arguments: Arguments, _ session: Session) throws {
    let id = try arguments.exactly("CALL")[0]
    guard let call = try session.calls.endByOperator(id) else {
      throw Failure("There is no call \(id).")
    }
    print(call, session.output)
  }

  private static func print(_ call: Call, _ output: Output) {
    output.record([
      ("id", call.id), ("channel", call.channelId), ("type", call.type.rawValue),
      ("status", call.status.rawValue), ("endReason", call.endReason?.rawValue),
      ("caller", call.callerId), ("callee", call.calleeId),
      ("created", call.createdAt.iso8601), ("expires", call.expiresAt.iso8601),
      ("accepted", call.acceptedAt?.iso8601), ("connected", call.connectedAt?.iso8601),
      ("ended", call.endedAt?.iso8601), ("deadline", call.deadlineAt?.iso8601),
      ("durationSeconds", String(call.durationSeconds)),
    ])
  }
}
