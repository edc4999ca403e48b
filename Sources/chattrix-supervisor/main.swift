// The supervisor: a pool of the workers that stand beside its own program file, and the sweeper
// (design §1).

import Configuration
import JSON
import Redis
import Storage
import Supervision
import System

Version.printIfAsked(program: "chattrix-supervisor", CommandLine.arguments)
let configuration = Configuration.loadOrExit(program: "chattrix-supervisor")
let log = Log(program: "chattrix-supervisor", level: configuration.logLevel)

/// A program that stands beside this one.
func program(_ name: String) throws(SystemError) -> String {
  let path = try programPath()
  let folder = path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
  return "\(folder)/\(name)"
}

/// What the sweeper's thread calls, with connections of its own.
@Sendable func makeSweep(_ gauges: SweepGauges) -> SweeperThread.Pass {
  let retention = RetentionSettings(
    qualityDays: configuration.qualityRetentionDays, auditDays: configuration.auditRetentionDays)
  let sweeper = Sweeper(
    Database(
      configuration.mysql, recording: configuration.delivery.recording, counters: gauges.counters),
    hints: Hints(
      redis: RedisConnection(addresses: configuration.redis, counters: gauges.counters),
      recording: configuration.delivery.recording),
    retention: retention,
    absenceSeconds: configuration.agoraAbsenceSeconds,
    routines: try? Migrations.installedRoutines())
  return {
    defer {
      if let load = sweeper.load {
        gauges.store(liveCalls: load.liveCalls, lagMilliseconds: load.lagMilliseconds)
      }
    }
    let report = try sweeper.sweep()
    let done = report.overdue + report.lost + report.media + report.purged + report.restored
    guard done > 0 else { return nil }
    return [
      "overdue": .int(Int64(report.overdue)), "lost": .int(Int64(report.lost)),
      "media": .int(Int64(report.media)), "purged": .int(Int64(report.purged)),
      "restored": .int(Int64(report.restored)),
    ]
  }
}

do {
  var settings = SupervisorSettings(
    program: try program("chattrix-worker"), workers: configuration.workers,
    address: configuration.fastCGISocket)
  // With nothing to send, nothing is recorded and the program is not started.
  if !configuration.delivery.recording.isEmpty {
    settings.companion = try program("chattrix-webhooks")
  }
  // A worker that starts while a key file cannot be used goes on with the keys in hand (contract §10).
  let supervisor = try Supervisor(
    settings, environment: processEnvironment(), log: log,
    additions: { configuration.jwt.inHand })
  try supervisor.run(sweep: makeSweep)
} catch {
  log.error("supervisor_failed", ["error": .string("\(error)")])
  exitProcess(1)
}
