// Counters that the processes of a pool share: one anonymous file (memfd_create(2)) that the
// supervisor makes and each worker maps, so that any of them can answer for all (`/metrics`).
//
// A slot has one writer, so an addition never waits; each begins on a cache line of its own, so two
// workers do not slow each other down. A slot's counters outlive the worker: its totals stay in the
// sums, and the worker that takes the slot next goes on from there.

import CLinux
import Glibc

package final class SharedCounters: Sendable {
  package let slots: Int
  /// In each slot.
  package let counters: Int
  /// Of the file; it stays open, to be passed on.
  package let descriptor: Descriptor

  /// Unsafe only to the compiler: what it points to is read and written by atomic operations once `init` is over.
  private nonisolated(unsafe) let memory: UnsafeMutablePointer<UInt64>
  private let stride: Int

  private static let signature: UInt64 = 0x6368_6174_7472_6978  // "chattrix"
  private static let header = 8
  /// Slots and counters of each.
  private static let limit = 4096

  /// Makes a file of zeros.
  /// - Parameters:
  ///   - slots: 1–4096.
  ///   - counters: 1–4096 in each slot.
  package static func create(slots: Int, counters: Int) throws(SystemError) -> SharedCounters {
    guard 1...limit ~= slots, 1...limit ~= counters else {
      throw SystemError(errno: EINVAL, call: "create counters")
    }
    let descriptor = Descriptor(
      try retryingInterrupts("memfd_create") { chattrix_memfd("chattrix-counters") })
    let length = length(slots: slots, counters: counters)
    try retryingInterrupts("ftruncate") { ftruncate(descriptor.raw, length) }
    let memory = try map(descriptor.raw, length)
    memory[1] = UInt64(slots)
    memory[2] = UInt64(counters)
    memory[0] = signature
    return SharedCounters(descriptor, memory, slots: slots, counters: counters)
  }

  /// Maps the file that another process made.
  /// - Parameter descriptor: Taken over.
  /// - Throws: `SystemError` where it is not such a file (EBADMSG).
  package static func attach(_ descriptor: consuming Descriptor) throws(SystemError)
    -> SharedCounters
  {
    var status = stat()
    try retryingInterrupts("fstat counters") { fstat(descriptor.raw, &status) }
    let foreign = SystemError(errno: EBADMSG, call: "attach counters")
    let length = Int(status.st_size)
    guard status.st_mode & S_IFMT == S_IFREG, length >= Self.length(slots: 1, counters: 1) else {
      throw foreign
    }
    let memory = try map(descriptor.raw, length)
    let (slots, counters) = (Int(clamping: memory[1]), Int(clamping: memory[2]))
    guard memory[0] == signature, 1...limit ~= slots, 1...limit ~= counters,
      Self.length(slots: slots, counters: counters) == length
    else {
      munmap(memory, length)
      throw foreign
    }
    return SharedCounters(descriptor, memory, slots: slots, counters: counters)
  }

  private init(
    _ descriptor: consuming Descriptor, _ memory: UnsafeMutablePointer<UInt64>,
    slots: Int, counters: Int
  ) {
    self.descriptor = descriptor
    self.memory = memory
    self.slots = slots
    self.counters = counters
    stride = Self.stride(counters)
  }

  deinit { munmap(memory, Self.length(slots: slots, counters: counters)) }

  /// - Precondition: `slot` and `counter` are within `slots` and `counters`.
  package func add(_ amount: UInt64 = 1, to counter: Int, slot: Int) {
    _ = chattrix_counter_add(address(counter, slot), amount)
  }

  package func store(_ value: UInt64, in counter: Int, slot: Int) {
    chattrix_counter_store(address(counter, slot), value)
  }

  package func load(_ counter: Int, slot: Int) -> UInt64 {
    chattrix_counter_load(address(counter, slot))
  }

  /// One counter over several slots, wrapping.
  package func sum(_ counter: Int, over slots: Range<Int>) -> UInt64 {
    slots.reduce(0) { $0 &+ load(counter, slot: $1) }
  }

  private func address(_ counter: Int, _ slot: Int) -> UnsafeMutablePointer<UInt64> {
    precondition(0..<slots ~= slot && 0..<counters ~= counter)
    return memory + Self.header + slot * stride + counter
  }

  /// Eight of eight bytes are a cache line.
  private static func stride(_ counters: Int) -> Int { (counters + 7) / 8 * 8 }

  /// In bytes.
  private static func length(slots: Int, counters: Int) -> Int {
    (header + slots * stride(counters)) * MemoryLayout<UInt64>.stride
  }

  private static func map(_ raw: Int32, _ length: Int) throws(SystemError)
    -> UnsafeMutablePointer<UInt64>
  {
    guard let address = chattrix_map_shared(raw, length) else {
      throw SystemError(call: "mmap counters")
    }
    return address.assumingMemoryBound(to: UInt64.self)
  }
}
