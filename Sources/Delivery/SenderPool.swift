// Threads that wait for somebody else's server, one request each: started when they are first needed, kept with
// their connection.

import Crypto
import HTTP
import HTTPClient
import Storage
import Synchronization
import System

/// A request to make for a delivery.
struct OutgoingRequest: Sendable {
  let delivery: Delivery
  let queue: DeliveryQueue
  let url: HTTPURL
  let body: [UInt8]
  /// Besides those that every request has.
  let headers: [(name: String, value: String)]
  /// Empty for a request that is not signed.
  let secrets: [WebhookSecret]

  /// Standard Webhooks 1.0: the id is the same at every attempt, the time is this attempt's.
  func signedHeaders(at now: Timestamp) -> [(name: String, value: String)] {
    let fixed = [(name: "Content-Type", value: "application/json")] + headers
    if secrets.isEmpty { return fixed }
    let id = delivery.key.id
    let signatures = WebhookSignature.signatures(
      id: id, timestampSeconds: now.seconds, body: body, secrets: secrets)
    return fixed + [
      ("webhook-id", id), ("webhook-timestamp", String(now.seconds)),
      ("webhook-signature", signatures),
    ]
  }
}

/// What came of it.
struct Answer: Sendable {
  let request: OutgoingRequest
  let result: Result<HTTPClientResponse, HTTPClientError>
  /// From its beginning to its end.
  let milliseconds: Int64
}

final class SenderPool: Sendable {
  private struct State {
    var waiting: [OutgoingRequest] = []
    var answers: [Answer] = []
    /// Threads that wait for a request.
    var idle = 0
    var threads = 0
  }

  private let state = Mutex(State())
  private let work: EventDescriptor
  private let wake: WakeUp
  private let trust: TrustStore
  private let limits: HTTPExchangeLimits
  private let maximum: Int

  /// - Parameters:
  ///   - maximum: Of threads.
  ///   - wake: Raised with every answer.
  init(maximum: Int, trust: TrustStore, limits: HTTPExchangeLimits, wake: WakeUp)
    throws(SystemError)
  {
    (self.maximum, self.trust, self.limits, self.wake) = (maximum, trust, limits, wake)
    work = try EventDescriptor(semaphore: true)
  }

  /// Hands a request to a thread. No more are submitted than may run at once.
  /// - Throws: `SystemError` where no thread can be had.
  func submit(_ request: OutgoingRequest) throws(SystemError) {
    let needsThread = state.withLock { state in
      let needsThread = state.waiting.count >= state.idle && state.threads < maximum
      if needsThread { state.threads += 1 }
      return needsThread
    }
    if needsThread {
      do throws(SystemError) { try start() } catch {
        // Those that there are take the request when they are free.
        let remaining = state.withLock { state in
          state.threads -= 1
          return state.threads
        }
        if remaining == 0 { throw error }
      }
    }
    state.withLock { $0.waiting.append(request) }
    work.signal()
  }

  /// What has come in since the last call.
  func takeAnswers() -> [Answer] {
    state.withLock { state in
      defer { state.answers = [] }
      return state.answers
    }
  }

  private func start() throws(SystemError) {
    _ = try Thread.start(name: "sender") { [self] in
      let client = HTTPClient(trust: trust, limits: limits)
      while true {
        state.withLock { $0.idle += 1 }
        work.drain()
        let request = state.withLock { state -> OutgoingRequest? in
          state.idle -= 1
          return state.waiting.isEmpty ? nil : state.waiting.removeFirst()
        }
        guard let request else { continue }
        let answer = Self.send(request, client)
        state.withLock { $0.answers.append(answer) }
        wake.raise()
      }
    }
  }

  private static func send(_ request: OutgoingRequest, _ client: HTTPClient) -> Answer {
    let started = MonotonicClock.milliseconds()
    let headers = request.signedHeaders(at: .now())
    let result: Result<HTTPClientResponse, HTTPClientError>
    do throws(HTTPClientError) {
      result = .success(try client.post(request.body, to: request.url, headers: headers))
    } catch { result = .failure(error) }
    return Answer(
      request: request, result: result, milliseconds: MonotonicClock.milliseconds() - started)
  }
}

/// Wakes the dispatcher's loop from any thread.
package final class WakeUp: Sendable {
  let event: EventDescriptor

  package init() throws(SystemError) { event = try EventDescriptor() }

  package func raise() { event.signal() }
}
