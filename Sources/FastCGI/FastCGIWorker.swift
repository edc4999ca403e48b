// A FastCGI responder on descriptor 0 (FastCGI 1.0, 2.2 and 6.2), one request at a time.
//
// The loop waits by itself and lets libfcgi accept only what is there already. libfcgi's own wait
// loses a signal that arrives just before accept(2), and a signal that arrives just after makes it
// drop the connection: its poll(2) and read(2) take EINTR for a bad client. Here the signals are
// blocked for good and come through a descriptor beside the listening one, so a worker that is
// told to go finishes what it has to and goes, every time.

import CFastCGI
import CLinux
import Glibc
import HTTP
import System

package final class FastCGIWorker {
  /// What a request's body may have, in bytes; of a longer one only the fact is passed on. The API's own
  /// bounds are this (contract §9.1) and less (§1).
  package static let bodyLimit = 65_536
  /// How much of a longer body is read and thrown away, so that the server can finish sending it.
  package static let drainLimit = 1_048_576
  /// How long a worker that was told to go may go on with requests that have connected before, while
  /// there are any: under a constant load there always are.
  package static let lastRequestsMilliseconds: Int64 = 500
  /// How long the web server may take for a request's body, all of it. nginx has it whole before it connects;
  /// one that passes a body on as it comes (Apache, where the length was not said) must not keep the worker
  /// for as long as its client likes.
  package static let bodyTimeoutMilliseconds: Int64 = 5000
  /// How long a server that takes no more of a response may keep the worker.
  package static let sendTimeoutMilliseconds: Int32 = 10_000

  /// A response up to this length fits the socket's buffer, so that writing it cannot wait.
  private static let unboundedBytes = 65_536

  private let request: UnsafeMutablePointer<FCGX_Request>
  private let listening: Int32
  private let signals: SignalDescriptor
  private let bodyTimeout: Int64
  /// The connection of the last body that was late, open until there is another: the web server goes on with
  /// what it has of the body before it reads the answer, and would take a broken connection for a fault.
  private var late: Descriptor?
  private var epoll: Epoll
  private var scratch = [UInt8](repeating: 0, count: FastCGIWorker.bodyLimit + 1)

  private static let listeningTag: UInt64 = 0
  private static let signalTag: UInt64 = 1

  /// - Parameters:
  ///   - listening: A listening socket, shared with other workers. It is made non-blocking.
  ///   - signals: What ends the loop. They are blocked for the whole process from here on, so
  ///     threads that should not be interrupted by them are to be started afterwards.
  ///   - bodyTimeoutMilliseconds: More than 0.
  /// - Throws: `SystemError` where `listening` is not a listening socket (ENOTSOCK).
  package init(
    listening: Int32 = STDIN_FILENO, signals: [Int32] = [SIGTERM, SIGINT, SIGUSR1],
    bodyTimeoutMilliseconds: Int64 = FastCGIWorker.bodyTimeoutMilliseconds
  ) throws(SystemError) {
    try Self.prepare(listening)
    self.listening = listening
    bodyTimeout = bodyTimeoutMilliseconds
    self.signals = try SignalDescriptor(signals)
    // The supervisor's: whoever sends it to all of them must not break off a request.
    signal(SIGHUP, SIG_IGN)
    epoll = try Epoll(batch: 2)
    // Of the workers that wait on the socket, one is woken a connection, not all of them.
    try epoll.add(listening, [.read, .exclusive], tag: Self.listeningTag)
    try epoll.add(self.signals.descriptor.raw, .read, tag: Self.signalTag)
    guard FCGX_Init() == 0 else { throw SystemError(errno: EINVAL, call: "FCGX_Init") }
    request = .allocate(capacity: 1)
    FCGX_InitRequest(request, listening, 0)
  }

  deinit {
    FCGX_Finish_r(request)
    request.deallocate()
  }

  private static func prepare(_ listening: Int32) throws(SystemError) {
    var isListening: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    let code = getsockopt(listening, SOL_SOCKET, SO_ACCEPTCONN, &isListening, &size)
    guard code == 0, isListening != 0 else {
      throw SystemError(errno: ENOTSOCK, call: "listen on descriptor \(listening)")
    }
    try setNonBlocking(listening)
  }

  /// Serves requests until a signal says that it is enough, and then those that have connected
  /// already: where the whole pool ends, nobody else would take them.
  /// - Parameters:
  ///   - respond: Answers a request.
  ///   - refuse: Answers what is not a well-formed request, under the id given.
  /// - Throws: `SystemError` where the listening socket is of no use any more.
  package func serve(
    _ respond: (HTTPRequest) -> HTTPResponse,
    refuse: (RequestFault, _ requestId: String) -> HTTPResponse
  ) throws(SystemError) {
    var isTold = false
    while !isTold {
      var isConnected = false
      try epoll.wait(timeoutMilliseconds: -1) { tag, _ in
        if tag == Self.listeningTag { isConnected = true } else { isTold = true }
      }
      if isConnected, try accept() { exchange(respond, refuse) }
    }
    let end = MonotonicClock.milliseconds() + Self.lastRequestsMilliseconds
    while MonotonicClock.milliseconds() < end, try accept() { exchange(respond, refuse) }
  }

  /// - Returns: false where another worker was faster.
  private func accept() throws(SystemError) -> Bool {
    let code = FCGX_Accept_r(request)
    switch -code {
    case 0: return true
    case EAGAIN, EINTR, ECONNABORTED: return false
    default: throw SystemError(errno: code < -9000 ? EIO : -code, call: "FCGX_Accept_r")
    }
  }

  private func exchange(
    _ respond: (HTTPRequest) -> HTTPResponse,
    _ refuse: (RequestFault, _ requestId: String) -> HTTPResponse
  ) {
    defer { FCGX_Finish_r(request) }
    let parameters = readParameters()
    let requestId = parameters.requestId ?? Randomness.system.hexadecimal(bytes: 16)
    let (body, state) = readBody()
    // libfcgi closes with shutdown(2) and a wait for the server to close, too, so that no unread
    // input turns into a reset. There is none here, and the wait costs a context switch; for a body
    // that is late it would go on as long as parts of it come.
    if state != .tooLong { FCGX_Detach(request) }
    do throws(RequestFault) {
      switch state {
      // The web server has gone away in the middle: there is no one to answer.
      case .broken: return
      case .late:
        late = Descriptor(chattrix_fcntl(request.pointee.ipcFd, F_DUPFD_CLOEXEC, 0))
        throw .late
      case .whole, .tooLong: break
      }
      let request = try parameters.request(id: requestId, body: body, isWhole: state == .whole)
      send(respond(request), withBody: request.method != .head)
    } catch {
      send(refuse(error, requestId), withBody: true)
    }
  }

  private func readParameters() -> RequestParameters {
    var parameters = RequestParameters()
    guard var entry = request.pointee.envp else { return parameters }
    while let text = entry.pointee {
      text.withMemoryRebound(to: UInt8.self, capacity: 1) {
        parameters.take(UnsafeBufferPointer(start: $0, count: strlen(text)).span)
      }
      entry += 1
    }
    return parameters
  }

  private enum BodyState {
    case whole
    case tooLong
    case late
    /// The connection ended before the body did.
    case broken
  }

  /// - Returns: The body; empty where it is not whole.
  private func readBody() -> ([UInt8], BodyState) {
    let input = request.pointee.in!
    let deadline = MonotonicClock.milliseconds() + bodyTimeout
    limitRead(milliseconds: bodyTimeout)
    guard let count = read(input, until: deadline) else { return ([], .late) }
    if count <= Self.bodyLimit {
      return FCGX_GetError(input) == 0 ? (Array(scratch[..<count]), .whole) : ([], .broken)
    }
    var drained = count
    while drained < Self.drainLimit, let more = read(input, until: deadline) {
      drained += more
      if more < scratch.count { break }
    }
    return ([], .tooLong)
  }

  /// Fills ``scratch`` as far as the body goes.
  /// - Returns: How many bytes; nil where the deadline passed before.
  private func read(_ input: UnsafeMutablePointer<FCGX_Stream>, until deadline: Int64) -> Int? {
    var count = 0
    while count < scratch.count {
      let ready = input.pointee.stop - input.pointee.rdNext
      // Of what is not there yet one byte: libfcgi reads from the socket then, which may wait.
      let wanted = min(max(ready, 1), scratch.count - count)
      let got = scratch.withUnsafeMutableBytes {
        Int(FCGX_GetStr($0.baseAddress! + count, Int32(wanted), input))
      }
      if got == 0 { return FCGX_GetError(input) == EAGAIN ? nil : count }
      count += got
      if ready > 0 { continue }
      let left = deadline - MonotonicClock.milliseconds()
      if left <= 0 { return nil }
      // A body that is there already costs no system call.
      if left < bodyTimeout - bodyTimeout / 10 { limitRead(milliseconds: left) }
    }
    return count
  }

  private func limitRead(milliseconds: Int64) {
    chattrix_limit_transfer(request.pointee.ipcFd, SO_RCVTIMEO, Int32(milliseconds))
  }

  /// If the web server has closed the connection, the response is discarded.
  private func send(_ response: HTTPResponse, withBody: Bool) {
    let bytes = response.serialized(statusPrefix: "Status: ", withBody: withBody)
    // A fresh socket's buffer takes less without waiting; it holds three times as much by default.
    if bytes.count > Self.unboundedBytes {
      chattrix_limit_transfer(request.pointee.ipcFd, SO_SNDTIMEO, Self.sendTimeoutMilliseconds)
    }
    bytes.withUnsafeBytes {
      _ = FCGX_PutStr($0.baseAddress, Int32($0.count), request.pointee.out)
    }
  }
}
