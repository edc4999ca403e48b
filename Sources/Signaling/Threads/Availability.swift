// Whether MySQL or Redis is there, as its users find it: said once in the log when it goes and once
// when it comes back, and told to whoever asks.

import JSON
import Synchronization
import System

final class Availability: Sendable {
  private let name: String
  private let log: Log
  private let isAvailable = Mutex(true)

  init(of name: String, log: Log) { (self.name, self.log) = (name, log) }

  var isGood: Bool { isAvailable.withLock { $0 } }

  /// Runs `body`; what it throws is noted and becomes ``Unavailable``.
  func attempt<Value>(_ body: () throws -> Value) -> Result<Value, Unavailable> {
    do {
      let value = try body()
      succeeded()
      return .success(value)
    } catch {
      failed(error)
      return .failure(Unavailable())
    }
  }

  func succeeded() {
    if change(to: true) { log.info("\(name)_available") }
  }

  func failed(_ error: any Error) {
    if change(to: false) { log.error("\(name)_unavailable", ["error": .string("\(error)")]) }
  }

  /// - Returns: whether it was otherwise before.
  private func change(to value: Bool) -> Bool {
    isAvailable.withLock { isAvailable in
      defer { isAvailable = value }
      return isAvailable != value
    }
  }
}
