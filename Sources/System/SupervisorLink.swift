// What a supervisor tells its workers, through their environment, and what a worker does with it.
// A worker that something else has started (spawn-fcgi, a shell) finds nothing of this, and needs
// nothing of it.

import CLinux
import Glibc

package enum SupervisorLink {
  /// The supervisor's process id.
  package static let processIdVariable = "CHATTRIX_SUPERVISOR_PID"
  /// The descriptor of the pool's ``SharedCounters``.
  package static let countersVariable = "CHATTRIX_COUNTERS_FD"
  /// The worker's slot in them.
  package static let slotVariable = "CHATTRIX_WORKER_SLOT"

  /// The supervisor's own slot, counted by ``SupervisorCounter``.
  package static let supervisorSlot = 0
  /// The slots of the workers: those to sum over.
  package static func workerSlots(_ counters: SharedCounters) -> Range<Int> {
    supervisorSlot + 1..<counters.slots - deliverySlots
  }
  /// The last slots are those of the webhook program: one, and one more during a reload.
  package static let deliverySlots = 2
  /// The slots of the webhook program.
  package static func deliverySlots(_ counters: SharedCounters) -> Range<Int> {
    counters.slots - deliverySlots..<counters.slots
  }

  /// In a worker's slot: its process id, 0 where no worker has the slot. The supervisor keeps it;
  /// the counters after it are the worker's.
  package static let processIdCounter = 0
  /// In each slot.
  package static let counters = CounterLayout.requests.upperBound

  /// Makes a program that was started by the supervisor end with it, as if told to by SIGTERM: a worker
  /// must not go on accepting on a socket that a new supervisor has replaced.
  ///
  /// To be called on the main thread at the start, once SIGTERM may come.
  package static func followSupervisor(_ environment: [String: String]) {
    guard let text = environment[processIdVariable], let supervisor = pid_t(text),
      supervisor == getppid(), chattrix_set_parent_death_signal(SIGTERM) == 0
    else { return }
    // It may have died in between, which no signal tells.
    if getppid() != supervisor { raise(SIGTERM) }
  }

  /// The counters of this worker's pool and its slot in them; nil where there is no supervisor, or where one of
  /// another version counts otherwise.
  /// To be called once: the descriptor is taken over.
  /// - Throws: `SystemError` where the descriptor is not one of counters.
  package static func counters(_ environment: [String: String]) throws(SystemError)
    -> (counters: SharedCounters, slot: Int)?
  {
    guard let slot = environment[slotVariable].flatMap({ Int($0) }),
      let descriptor = environment[countersVariable].flatMap({ Int32($0) }), descriptor > 2
    else { return nil }
    _ = chattrix_fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    let counters = try SharedCounters.attach(Descriptor(descriptor))
    guard counters.counters == Self.counters else { return nil }
    guard 0..<counters.slots ~= slot else {
      throw SystemError(errno: ERANGE, call: "counters of slot \(slot)")
    }
    return (counters, slot)
  }
}

/// What the webhook program counts, in ``SupervisorLink/deliverySlots(_:)``, after its process id.
package enum DeliveryCounter: Int, CaseIterable, Sendable {
  /// When its loop last went round, in milliseconds of the monotonic clock; 0 until it does.
  case aliveAt = 1
  /// Requests that were answered with success, and those that were not.
  case delivered, failed
  /// Events that are not tried any more.
  case givenUp
  /// Kicks at Agora that were carried out, requests for one that failed, and those given up.
  case kicks, kicksFailed, kicksGivenUp
  /// Events that wait, and how long the oldest one that was not tried yet is overdue, in milliseconds.
  case pending, lagMilliseconds
  /// Sum of the time from an event's commit to the receiver's answer, in milliseconds, over first attempts
  /// that succeeded, and their number.
  case firstMilliseconds, firsts

  /// ``pending`` is not counted any further.
  package static let pendingLimit = 10_000
}

/// What the supervisor counts, in ``SupervisorLink/supervisorSlot``.
package enum SupervisorCounter: Int, CaseIterable, Sendable {
  /// Its process id.
  case processId
  /// How many workers the pool is to have, and has.
  case workersWanted, workersRunning
  /// Workers that ended without being asked to.
  case crashes
  /// Reloads that were carried through.
  case reloads
  case sweeps, sweepFailures
  /// When the sweep under way began, in milliseconds since 1970; 0 where there is none.
  case sweepingSince
  /// Calls that are not over, of all hosts, and how late the sweeper is with the oldest deadline: as
  /// measured once a second.
  case liveCalls, sweepLagMilliseconds
  /// Workers that were started.
  case starts
}
