// cdr: call detail records for accounting.

import CSV
import Calls
import JSON
import Storage
import System

enum RecordCommands {
  static let all = [
    Command(
      name: "cdr", synopsis: "cdr --from TIME --to TIME [--format csv|jsonl]",
      summary: "the calls that ended in a period, a line each",
      details: """
        A call is in it if FROM <= endedAt < TO, so that periods that follow one another neither share nor
        miss a call; oldest end first. Times are ISO 8601 (2026-05-01T00:00Z; UTC where no offset is given).
        Export a period some minutes after it is over: the end of a call whose connections broke is written
        up to two minutes later. Where calls may be missing, a warning on standard error says so.

        CSV is RFC 4180 with a header; a text that a spreadsheet would take for a formula gets an apostrophe
        in front. jsonl (also: --json) has every text as it is. An absent value is an empty field, or null.
        Users are named by their ids only. meanOpinionScore is an estimate by ITU-T G.107 from the mean loss
        and round trip that clients reported, 1 to 4.5, absent without both.
        """,
      valued: ["from", "to", "format"], run: export)
  ]

  private enum Format: String { case csv, jsonl }

  private static func export(_ arguments: Arguments, _ session: Session) throws {
    _ = try arguments.exactly()
    let (from, to) = (try time("from", arguments), try time("to", arguments))
    guard from <= to else { throw UsageError("--from must not be after --to") }
    let name = arguments["format"] ?? (session.output.isJSON ? "jsonl" : "csv")
    guard let format = Format(rawValue: name) else {
      throw UsageError("--format must be csv or jsonl")
    }
    ignoreClosedPipes()
    let calls = FinishedCalls(session.database)
    let mayGrow = try calls.mayGrow(before: to)
    do {
      switch format {
      case .csv: try writeCSV(calls, from, to)
      case .jsonl: try writeJSON(calls, from, to)
      }
    } catch let error as SystemError where error.hasNoReader {
      // `| head` has seen enough.
      exitProcess(0)
    }
    if mayGrow {
      writeOut(
        "chattrix-ctl: calls that end before \(to.iso8601) may still be written; export again later\n",
        to: 2)
    }
  }

  private static func time(_ option: String, _ arguments: Arguments) throws -> Timestamp {
    guard let text = arguments[option] else { throw UsageError("--\(option) is required") }
    guard let time = Timestamp(iso8601: text) else {
      throw UsageError("--\(option) must be a time in ISO 8601, such as 2026-05-01T00:00Z")
    }
    return time
  }

  private static func writeCSV(_ calls: FinishedCalls, _ from: Timestamp, _ to: Timestamp) throws {
    var output = OutputBuffer()
    var line = CSVWriter(reserving: 512)
    CallRecord.writeHeader(to: &line)
    try output.append(line.bytes)
    try calls.forEach(from: from, to: to) { call in
      line.reset()
      CallRecord(call).write(to: &line)
      try output.append(line.bytes)
    }
    try output.flush()
  }

  private static func writeJSON(_ calls: FinishedCalls, _ from: Timestamp, _ to: Timestamp) throws {
    var output = OutputBuffer()
    var line = JSONWriter(reserving: 1024)
    try calls.forEach(from: from, to: to) { call in
      line.reset()
      CallRecord(call).write(to: &line)
      try output.append(line.bytes)
      try output.append([UInt8(ascii: "\n")])
    }
    try output.flush()
  }
}
