// SIGHUP: every worker is replaced, one at a time and the new one first, so that the pool is never
// smaller than it is to be. A new worker that dies at once (a broken program file) ends the reload,
// and the old ones go on.

extension WorkerPool {
  /// Whether workers from before the last reload are still there.
  package var isReloading: Bool {
    slots.contains {
      switch $0 {
      case .running(let worker), .stopping(let worker, _, _): worker.generation < generation
      case .free, .waiting: false
      }
    }
  }

  mutating func abandonReload() {
    for index in slots.indices {
      guard case .running(var worker) = slots[index] else { continue }
      worker.generation = generation
      slots[index] = .running(worker)
    }
  }

  mutating func reloadNext(at now: Int64) {
    guard stopping == 0 else { return }
    let filled = slots.count { $0 != .free }
    if filled > settings.workers {
      retireOne(at: now)
    } else if isReloading, newOnesAreSettled(at: now),
      let free = slots.firstIndex(of: .free)
    {
      slots[free] = .waiting(until: now)
    }
  }

  /// There is one more than there should be: a slot that has no worker is given up before one that
  /// has, an old worker before a new one.
  private mutating func retireOne(at now: Int64) {
    let hasOld = isReloading
    guard !hasOld || newOnesAreSettled(at: now) else { return }
    if !hasOld, let waiting = slots.firstIndex(where: \.isWaiting) {
      slots[waiting] = .free
      return
    }
    var oldest: (index: Int, worker: Worker)?
    for (index, slot) in slots.enumerated() {
      guard case .running(let worker) = slot else { continue }
      let isOlder =
        oldest.map {
          (worker.generation, worker.startedAt) < ($0.worker.generation, $0.worker.startedAt)
        } ?? true
      if isOlder { oldest = (index, worker) }
    }
    if let oldest { stop(oldest.worker, oldest.index, at: now) }
  }

  /// No start is outstanding, and every worker of this reload has lived for long enough.
  private func newOnesAreSettled(at now: Int64) -> Bool {
    slots.allSatisfy {
      switch $0 {
      case .waiting: false
      case .running(let worker):
        worker.generation < generation || now - worker.startedAt >= settings.settleMilliseconds
      case .free, .stopping: true
      }
    }
  }
}

extension WorkerPool.Slot {
  var isWaiting: Bool {
    if case .waiting = self { true } else { false }
  }
}
