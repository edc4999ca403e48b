// The supervisor's loop: signals and a timer in, worker processes out. Everything in it returns at
// once; what may hang (the sweeper's database) has a thread of its own, and what is to be done is
// WorkerPool's to say.

import CLinux
import Glibc
import System

package struct SupervisorSettings: Sendable {
  /// The worker's program file.
  package var program: String
  package var pool: WorkerPool.Settings
  /// Where the workers listen, unless systemd passes a socket.
  package var address: SocketAddress
  /// The program file of what runs beside the workers; nil for none.
  package var companion: String?
  /// Between two passes of the sweeper.
  package var sweepIntervalMilliseconds = 250

  package init(program: String, workers: Int, address: SocketAddress) {
    self.program = program
    pool = WorkerPool.Settings(workers: workers)
    self.address = address
  }
}

package final class Supervisor {
  private let processes: WorkerProcesses
  private let socket: ListeningSocket
  private let notifier: ServiceNotifier
  private let sweeper: SweeperThread
  private let log: Log
  private let settings: SupervisorSettings

  private let signals: SignalDescriptor
  private let timer: TimerDescriptor
  private var epoll: Epoll

  private var pool: WorkerPool
  private var companion: Companion?
  private var condition: PoolCondition
  private var drainedAt: Int64?

  /// How long the end waits for a pass of the sweeper; its transaction is rolled back after that.
  private static let sweeperGraceMilliseconds: Int64 = 1_000

  /// - Parameter additions: To each worker's environment, as they are when it starts.
  ///
  /// Binds the socket. From here on the signals are the loop's.
  /// - Throws: `SystemError` where the socket cannot be had.
  package init(
    _ settings: SupervisorSettings, environment: [String: String], log: Log,
    additions: @escaping () -> [String: String] = { [:] }
  ) throws(SystemError) {
    // A log whose reader has gone must not end the supervisor.
    signal(SIGPIPE, SIG_IGN)
    signals = try SignalDescriptor([SIGCHLD, SIGHUP, SIGTERM, SIGINT])
    timer = try TimerDescriptor(intervalMilliseconds: settings.sweepIntervalMilliseconds)
    epoll = try Epoll(batch: 2)
    try epoll.add(signals.descriptor.raw, .read, tag: 0)
    try epoll.add(timer.descriptor.raw, .read, tag: 1)
    socket = try ListeningSocket.open(settings.address, environment: environment)
    notifier = ServiceNotifier(environment: environment)
    let processes = try WorkerProcesses(
      program: settings.program, socket: socket.descriptor.raw,
      workers: settings.pool.workers, environment: environment, additions: additions)
    self.processes = processes
    sweeper = try SweeperThread(log: log, counters: processes.ownCounters)
    pool = WorkerPool(settings.pool)
    companion = settings.companion.map { Companion($0, processes, log: log) }
    condition = PoolCondition(workers: settings.pool.workers, log: log)
    self.settings = settings
    self.log = log
  }

  /// Keeps the pool until SIGTERM or SIGINT, and then until the last worker has gone.
  /// - Parameter sweep: Makes, on the sweeper's thread, what one pass calls; what that measures it stores.
  /// - Throws: `SystemError` where the loop itself is broken.
  package func run(
    sweep: @escaping @Sendable (SweepGauges) -> SweeperThread.Pass
  ) throws(SystemError) {
    defer { socket.removePath() }
    log.info(
      "supervisor_started",
      ["workers": .int(Int64(settings.pool.workers)), "socket": .string(socket.name)])
    let gauges = sweeper.gauges
    try sweeper.start { sweep(gauges) }
    act()
    notifier.ready()
    while !isOver {
      try epoll.wait(timeoutMilliseconds: timeout()) { _, _ in }
      if timer.drain() > 0 { tick() }
      while let signal = signals.next() { take(signal) }
      act()
    }
    log.info("supervisor_stopped")
  }

  private var isOver: Bool {
    guard pool.isDraining, pool.isEmpty, companion?.isEmpty != false else { return false }
    let now = MonotonicClock.milliseconds()
    let drainedAt = self.drainedAt ?? now
    self.drainedAt = drainedAt
    return sweeper.busyMilliseconds(at: now) == nil
      || now - drainedAt >= Self.sweeperGraceMilliseconds
  }

  /// Until the next action of the pool; the timer wakes the loop for everything else.
  private func timeout() -> Int32 {
    let now = MonotonicClock.milliseconds()
    let dues = [pool.nextDue(after: now), companion?.nextDue(after: now)]
    guard let due = dues.compactMap({ $0 }).min() else { return -1 }
    return Int32(clamping: due - now)
  }

  // MARK: Events

  private func tick() {
    if !pool.isDraining { sweeper.tick() }
    notifier.watchdog()
  }

  private func take(_ signal: Int32) {
    switch signal {
    case SIGCHLD: reap()
    case SIGHUP: reload()
    default: drain(signal)
    }
  }

  private func reap() {
    let now = MonotonicClock.milliseconds()
    while let (process, exit) = reapChild() {
      if companion?.ended(process, exit, at: now) == true { continue }
      guard let ending = pool.ended(process, at: now) else { continue }
      processes.ended(slot: ending.slot)
      condition.ended(process, exit, ending)
    }
  }

  private func reload() {
    guard !pool.isDraining else { return }
    log.info("reload_started")
    pool.reload()
    companion?.reload()
    notifier.reloading()
  }

  private func drain(_ signal: Int32) {
    guard !pool.isDraining else { return }
    log.info("drain_started", ["signal": .int(Int64(signal))])
    notifier.stopping()
    // Who connects from now on is refused at once instead of waiting for nobody.
    socket.removePath()
    sweeper.stop()
    pool.drain()
    companion?.drain()
  }

  // MARK: Actions

  private func act() {
    let now = MonotonicClock.milliseconds()
    for action in pool.due(at: now) {
      switch action {
      case .start(let slot): start(slot)
      case .signal(let process, let signal):
        if signal == SIGKILL { condition.killing(process) }
        kill(process, signal)
      }
    }
    endHanging(at: now)
    companion?.act(at: now)
    let sweepMilliseconds = sweeper.busyMilliseconds(at: now)
    if condition.update(pool, sweepMilliseconds: sweepMilliseconds, at: now) { notifier.ready() }
    notifier.status(condition.text)
    processes.publish(
      pool, condition, sweeper, sweepingMilliseconds: sweepMilliseconds)
  }

  private func endHanging(at now: Int64) {
    for (slot, process, milliseconds) in pool.hanging(at: now, busySince: processes.busySince) {
      processes.ended(slot: slot)  // so that it is killed once
      condition.hangs(process, milliseconds: milliseconds)
      kill(process, SIGKILL)
    }
  }

  private func start(_ slot: Int) {
    do throws(SystemError) {
      let process = try processes.start(slot: slot)
      pool.started(process, slot: slot, at: MonotonicClock.milliseconds())
      condition.started()
      log.debug("worker_started", ["worker": .int(Int64(process)), "slot": .int(Int64(slot))])
    } catch {
      let delay = pool.startFailed(slot: slot, at: MonotonicClock.milliseconds())
      condition.notStarted(error, nextTryMilliseconds: delay)
    }
  }
}
