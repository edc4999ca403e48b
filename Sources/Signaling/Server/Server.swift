// One epoll thread that owns every connection (design §1): it accepts, reads, writes, pings, and
// drops what is silent. What the frames mean is the handler's business.

import Glibc
import System

package final class Server {
  /// Ticks of the server's clock in a second.
  package static let ticksPerSecond: UInt32 = 4

  package let settings: ServerSettings
  /// While `run` runs.
  private(set) var handler: (any ConnectionHandler)?
  var epoll: Epoll
  let table = ConnectionTable()
  let input = ReadBuffer()
  /// The server's clock, in quarters of a second since it began; never 0.
  private(set) var tick: UInt32 = 1
  /// What is written while one connection's input is handled leaves with one send(2).
  var corked: Connection?
  var cork: [UInt8] = []
  /// Connections that were closed because they did not read what they were sent.
  var slowReaders = 0

  var listener: Listener?
  private let timer: TimerDescriptor
  private let signals: SignalDescriptor
  /// Raised by other threads that have something for the handler.
  private let wakeUp: Int32
  private var shutdown: Shutdown?
  /// Connections that were failed and whose peers may still be sending, by tag.
  var lingering: [UInt64] = []
  private var ready: [(tag: UInt64, events: Epoll.Interest)] = []

  /// Tags of descriptors that are no connections; a connection's has its descriptor in its lower
  /// half, which is not negative.
  enum Port {
    static let listener = UInt64.max
    static let timer = UInt64.max - 1
    static let signals = UInt64.max - 2
    static let wakeUp = UInt64.max - 3
  }

  /// Blocks SIGTERM and SIGINT for the whole process: they end `run`; and SIGHUP, of which the handler is
  /// told. Ignores SIGPIPE: whoever writes
  /// to what nobody reads any more is told by errno.
  /// - Parameter wakeUp: becomes readable when the handler has something to do; stays open for as
  ///   long as the server runs.
  /// - Throws: `SystemError` where there are no descriptors left.
  package init(
    on socket: ListeningSocket, settings: ServerSettings = ServerSettings(), wakeUp: Int32
  ) throws(SystemError) {
    self.settings = settings
    self.wakeUp = wakeUp
    signal(SIGPIPE, SIG_IGN)
    epoll = try Epoll()
    timer = try TimerDescriptor(intervalMilliseconds: 1000 / Int(Self.ticksPerSecond))
    signals = try SignalDescriptor([SIGTERM, SIGINT, SIGHUP])
    listener = try Listener(on: socket)
    try epoll.add(listener!.raw, .read, tag: Port.listener)
    try epoll.add(timer.descriptor.raw, .read, tag: Port.timer)
    try epoll.add(signals.descriptor.raw, .read, tag: Port.signals)
    try epoll.add(wakeUp, .read, tag: Port.wakeUp)
  }

  package var connectionCount: Int { table.count }

  /// Runs until a shutdown is through.
  package func run(_ handler: any ConnectionHandler) throws(SystemError) {
    self.handler = handler
    defer { self.handler = nil }
    while shutdown?.isThrough != true {
      var batch = ready
      batch.removeAll(keepingCapacity: true)
      ready = []
      // Collected first: handling an event changes what epoll watches.
      try epoll.wait(timeoutMilliseconds: handler.millisecondsLeft ?? -1) { tag, events in
        batch.append((tag, events))
      }
      for (tag, events) in batch { handle(tag, events) }
      if handler.millisecondsLeft == 0 { handler.due() }
      ready = batch
    }
  }

  private static let trouble: Epoll.Interest = [.hangUp, .error]
  private static let input: Epoll.Interest = [.read, .hangUp, .error]

  private func handle(_ tag: UInt64, _ events: Epoll.Interest) {
    switch tag {
    case Port.listener: accept()
    case Port.timer:
      // Time in which the server itself stood still is nobody's silence.
      for _ in 0..<min(timer.drain(), UInt64(Self.ticksPerSecond)) { advance() }
    case Port.signals:
      while let signal = signals.next() {
        if signal == SIGHUP { handler?.reload() } else { stop() }
      }
    case Port.wakeUp: handler?.woken()
    default:
      // Gone, if an earlier event of this batch closed it.
      guard let connection = table[tag: tag] else { return }
      if events.contains(.write) { flush(connection) }
      if connection.isPaused {
        // Whatever it is that nobody asked for, it is the end.
        if !events.isDisjoint(with: Self.trouble) { drop(connection) }
      } else if !events.isDisjoint(with: Self.input) {
        receive(connection)
      }
    }
  }

  private func advance() {
    tick += 1
    expire()
    ping()
    finishLingering()
    if shutdown == nil { resumeAccepting() }
    if var shutdown {
      shutdown.advance(self)
      self.shutdown = shutdown
    }
    handler?.ticked()
  }

  /// Begins a shutdown: no new connections, and a Close frame (1001) to every open one.
  package func stop() {
    guard shutdown == nil else { return }
    if let listener { epoll.remove(listener.raw) }
    listener = nil
    shutdown = Shutdown(capacity: table.capacity, settings)
    handler?.stopping()
  }

  package var isStopping: Bool { shutdown != nil }
}
