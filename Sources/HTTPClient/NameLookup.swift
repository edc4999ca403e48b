// The addresses of a name, looked up on a thread of its own: getaddrinfo(3) knows no deadline, and a
// resolver that does not answer holds it for 10 s and longer (resolv.conf(5), `timeout` and `attempts`).

import Glibc
import Synchronization
import System

package final class NameLookup: Sendable {
  package typealias Outcome = Result<[NetworkAddress], HTTPClientError>

  package let host: String
  private let outcome = Mutex<Outcome?>(nil)
  private let isDone: EventDescriptor

  private init(_ host: String) throws(SystemError) {
    self.host = host
    isDone = try EventDescriptor()
  }

  /// - Parameter resolve: Does the work; may block.
  /// - Throws: `.nameResolution` where there is no thread or descriptor to be had.
  package static func start(
    _ host: String, _ resolve: @escaping @Sendable () -> Outcome
  ) throws(HTTPClientError) -> NameLookup {
    do {
      let lookup = try NameLookup(host)
      _ = try Thread.start(name: "name-lookup") { lookup.finish(resolve()) }
      return lookup
    } catch { throw .nameResolution("\(error)") }
  }

  private func finish(_ found: Outcome) {
    outcome.withLock { $0 = found }
    isDone.signal()
  }

  package var isRunning: Bool { outcome.withLock { $0 == nil } }

  /// Can be called again after it timed out.
  package func addresses(until deadline: Deadline) throws(HTTPClientError) -> [NetworkAddress] {
    _ = isReady(isDone.descriptor.raw, for: POLLIN, until: deadline)
    guard let found = outcome.withLock({ $0 }) else { throw .timedOut(.nameResolution) }
    return try found.get()
  }
}
