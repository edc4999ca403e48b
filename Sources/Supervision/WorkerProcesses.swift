// The worker processes: the program, what it inherits, and the counters that the pool shares.

import Glibc
import System

package final class WorkerProcesses {
  private let program: String
  private let socket: Int32
  private let environment: [String]
  private let additions: () -> [String: String]
  private let counters: SharedCounters

  /// In the worker; 0, 1 and 2 are the socket, standard output and the log.
  private static let countersDescriptor: Int32 = 3
  /// What systemd says to the supervisor, and nobody else.
  private static let ownVariables: Set<String> = [
    "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID",
    "MAINPID", SupervisorLink.processIdVariable, SupervisorLink.countersVariable,
    SupervisorLink.slotVariable,
  ]

  /// - Parameter additions: To each worker's environment, as they are when it starts.
  package init(
    program: String, socket: Int32, workers: Int, environment: [String: String],
    additions: @escaping () -> [String: String] = { [:] }
  ) throws(SystemError) {
    self.program = program
    self.socket = socket
    self.additions = additions
    // The supervisor's slot, the workers', one more for a reload, and those of the webhook program.
    counters = try SharedCounters.create(
      slots: workers + 2 + SupervisorLink.deliverySlots, counters: SupervisorLink.counters)
    let own = Self.ownVariables
    self.environment =
      environment.filter { !own.contains($0.key) }.map { "\($0.key)=\($0.value)" } + [
        "\(SupervisorLink.processIdVariable)=\(getpid())",
        "\(SupervisorLink.countersVariable)=\(Self.countersDescriptor)",
      ]
    store(.processId, Int(getpid()))
  }

  /// The supervisor's slot.
  package var ownCounters: CounterSlot {
    CounterSlot(counters, slot: SupervisorLink.supervisorSlot)
  }

  package func start(slot: Int) throws(SystemError) -> pid_t {
    try start(program, standardInput: socket, sharedSlot: slot + 1)
  }

  /// Starts another program beside the workers, with the same environment and a slot of its own.
  /// - Parameters:
  ///   - slot: Counted from 0, among those of the webhook program.
  package func startCompanion(_ program: String, slot: Int) throws(SystemError) -> pid_t {
    let nothing = Descriptor(
      try retryingInterrupts("open /dev/null") { open("/dev/null", O_RDONLY | O_CLOEXEC) })
    return try start(program, standardInput: nothing.raw, sharedSlot: companionSlot(slot))
  }

  private func companionSlot(_ slot: Int) -> Int {
    SupervisorLink.deliverySlots(counters).lowerBound + slot
  }

  package func companionEnded(slot: Int) {
    counters.store(0, in: SupervisorLink.processIdCounter, slot: companionSlot(slot))
  }

  /// When the companion in this slot last said that it is alive, in milliseconds of the monotonic clock.
  package func companionAliveAt(slot: Int) -> Int64 {
    Int64(clamping: counters.load(DeliveryCounter.aliveAt.rawValue, slot: companionSlot(slot)))
  }

  private func start(_ program: String, standardInput: Int32, sharedSlot shared: Int)
    throws(SystemError) -> pid_t
  {
    let process = try spawn(
      program: program,
      environment: environment + additions().map { "\($0.key)=\($0.value)" } + [
        "\(SupervisorLink.slotVariable)=\(shared)"
      ],
      standardInput: standardInput,
      inherited: [(counters.descriptor.raw, Self.countersDescriptor)])
    counters.store(UInt64(process), in: SupervisorLink.processIdCounter, slot: shared)
    return process
  }

  /// When the request began that the worker in this slot has in hand, in milliseconds of the monotonic clock; nil
  /// where it has none.
  package func busySince(slot: Int) -> Int64? {
    let since = counters.load(WorkerCounter.busySince.rawValue, slot: slot + 1)
    return since == 0 ? nil : Int64(clamping: since)
  }

  package func ended(slot: Int) {
    counters.store(0, in: WorkerCounter.busySince.rawValue, slot: slot + 1)
    counters.store(0, in: SupervisorLink.processIdCounter, slot: slot + 1)
  }

  package func publish(
    _ pool: WorkerPool, _ condition: PoolCondition, _ sweeper: SweeperThread,
    sweepingMilliseconds: Int64?
  ) {
    store(.workersWanted, pool.isDraining ? 0 : pool.settings.workers)
    store(.workersRunning, pool.running)
    store(.starts, condition.starts)
    store(.crashes, condition.crashes)
    store(.reloads, condition.reloads)
    store(.sweeps, sweeper.passes)
    store(.sweepFailures, sweeper.failures)
    store(.liveCalls, sweeper.gauges.liveCalls)
    store(.sweepLagMilliseconds, sweeper.gauges.lagMilliseconds)
    let since = sweepingMilliseconds.map { Timestamp.now().milliseconds - $0 } ?? 0
    store(.sweepingSince, Int(since))
  }

  private func store(_ counter: SupervisorCounter, _ value: Int) {
    counters.store(
      UInt64(max(0, value)), in: counter.rawValue, slot: SupervisorLink.supervisorSlot)
  }
}
