// Requests of our own to somebody else's server (contract §8, §9.4): HTTP/1.1, one exchange at a time.
//
// Blocking, for a thread that has nothing else to do. Our own, because FoundationNetworking costs a program
// 58.6 MB on disk, 27 MB resident and five threads, against 6.3, 12.3 and one, and ignores the limits on a
// response that it is given.

import HTTP
import System

/// What a server has shown in its TLS handshake, judged also where its client does not verify it.
package struct ServerCertificate: Sendable {
  /// How long it is valid yet; negative where it is not any more.
  package let secondsLeft: Int
  /// Whether its alternative names have the URL's host (RFC 9525, 2).
  package let isForHost: Bool
  /// Why it leads to no authority that is trusted here, in OpenSSL's words; nil where it does.
  package let chainFault: String?
}

/// Belongs to one thread. Keeps its connection open for the next exchange with the same origin.
package final class HTTPClient {
  private let trust: TrustStore
  private let limits: HTTPExchangeLimits
  private var idle: Connection?
  /// Of the server that was connected to last; nil without TLS.
  package private(set) var certificate: ServerCertificate?
  private let route: HTTPURL?
  /// A lookup that has not ended in time: it is waited for again, so that a resolver that hangs costs one
  /// thread and not one an exchange.
  private var lookup: NameLookup?

  /// Connects with the first exchange.
  /// - Parameter route: Whose host and port are connected to in place of the URL's own.
  package init(trust: TrustStore, limits: HTTPExchangeLimits = .init(), route: HTTPURL? = nil) {
    self.trust = trust
    self.limits = limits
    self.route = route
  }

  /// Sends a request and waits for its response, whatever its status; a redirect is not followed.
  ///
  /// A request that failed on a connection that had been idle, before a byte of a response came, is sent
  /// once more on a new one: a server closes idle connections when it likes (RFC 9112, 9.3.1). So it can
  /// arrive twice.
  /// - Parameter headers: Without those that follow from the request itself (``RequestEncoder``).
  /// - Throws: ``HTTPClientError``, within the time of ``HTTPExchangeLimits``.
  package func post(
    _ body: [UInt8], to url: HTTPURL, headers: [(name: String, value: String)]
  ) throws(HTTPClientError) -> HTTPClientResponse {
    try send(RequestEncoder.post(body, to: url, headers: headers), to: url)
  }

  /// Asks for a resource in the same way.
  /// - Throws: ``HTTPClientError``.
  package func get(_ url: HTTPURL) throws(HTTPClientError) -> HTTPClientResponse {
    try send(RequestEncoder.get(url), to: url)
  }

  private func send(_ request: [UInt8], to url: HTTPURL) throws(HTTPClientError)
    -> HTTPClientResponse
  {
    let deadline = Deadline(milliseconds: Int32(clamping: limits.totalMilliseconds))
    if let connection = takeIdle(to: url) {
      let outcome = exchange(request, on: connection, until: deadline)
      guard outcome.mayBeRepeated else { return try outcome.result.get() }
    }
    let connection = try connect(to: url, until: deadline)
    return try exchange(request, on: connection, until: deadline).result.get()
  }

  private func takeIdle(to url: HTTPURL) -> Connection? {
    guard let connection = idle else { return nil }
    idle = nil
    let age = MonotonicClock.milliseconds() - connection.lastUsed
    guard connection.leads(to: url), age < limits.idleMilliseconds, !connection.isStale else {
      return nil
    }
    return connection
  }

  private func connect(
    to url: HTTPURL, until deadline: Deadline
  ) throws(HTTPClientError) -> Connection {
    let addresses = try addresses(of: route ?? url, until: deadline)
    let limit = min(deadline, Deadline(milliseconds: Int32(clamping: limits.connectMilliseconds)))
    let socket = try addresses.connect(until: limit)
    let connection = try Connection(to: url, on: socket, trust: trust, until: limit)
    certificate = connection.certificate
    return connection
  }

  private func addresses(
    of url: HTTPURL, until deadline: Deadline
  ) throws(HTTPClientError) -> [NetworkAddress] {
    let (host, port) = (url.host, url.port)
    if url.isAddress { return try NetworkAddress.resolve(host, port, isNumeric: true).get() }
    let key = "\(host):\(port)"
    let current: NameLookup
    if let lookup, lookup.host == key, lookup.isRunning {
      current = lookup
    } else {
      current = try NameLookup.start(key) { NetworkAddress.resolve(host, port, isNumeric: false) }
    }
    lookup = current
    defer { if !current.isRunning { lookup = nil } }
    return try current.addresses(until: deadline)
  }

  private struct Outcome {
    let result: Result<HTTPClientResponse, HTTPClientError>
    /// The far side may not have seen the request: nothing of a response came, and not for want of time.
    var mayBeRepeated = false
  }

  private func exchange(
    _ request: [UInt8], on connection: Connection, until deadline: Deadline
  ) -> Outcome {
    var hasAnswered = false
    do throws(HTTPClientError) {
      // A server may refuse a request before it has read all of it (RFC 9112, 9.5): after a failure to send
      // there may be a response all the same.
      var failure: HTTPClientError?
      do { try connection.send(request, until: deadline) } catch { failure = error }
      do {
        let response = try receive(on: connection, until: deadline, &hasAnswered)
        if failure != nil { idle = nil }
        return Outcome(result: .success(response))
      } catch { throw failure ?? error }
    } catch {
      if case .timedOut = error { return Outcome(result: .failure(error)) }
      return Outcome(result: .failure(error), mayBeRepeated: !hasAnswered)
    }
  }

  private func receive(
    on connection: Connection, until deadline: Deadline, _ hasAnswered: inout Bool
  ) throws(HTTPClientError) -> HTTPClientResponse {
    var parser = ResponseParser(limits: limits.response)
    var buffer = [UInt8](repeating: 0, count: 16_384)
    while true {
      let count = try connection.receive(into: &buffer, until: deadline)
      do throws(ResponseError) {
        if count == 0 { return HTTPClientResponse(try parser.endOfStream()) }
        hasAnswered = true
        if let (response, consumed) = try parser.feed(buffer.span.extracting(0..<count)) {
          // What follows a response that is whole belongs to none.
          if response.keepsConnection, consumed == count { idle = connection }
          return HTTPClientResponse(response)
        }
      } catch { throw HTTPClientError(error) }
    }
  }
}
