import Calls
import Crypto
import HTTP
import HTTPClient
import JSON
import System
import Testing

@testable import Delivery
@testable import Storage

@Suite("Contract 8.1, 8.2: what is sent, and what an answer means")
struct VerdictTests {
  static let now = Timestamp(milliseconds: 1_800_000_000_000)

  static func call() -> Call {
    Call(
      id: "0193d5a0-0000-7000-8000-000000000001", channelId: "0123456789abcdef0123456789abcdef",
      callerId: "alice", calleeId: "bob", type: .audio, createdAt: now, ringSeconds: 60)
  }

  static func delivery(
    _ type: WebhookType?, attempts: Int = 0, isForced: Bool = false, call: Call = call()
  ) -> Delivery {
    Delivery(
      key: DeliveryKey(callId: call.id, sequence: type?.sequence ?? Recording.kickSequence),
      attempts: attempts, isForced: isForced, createdAt: now, call: call,
      caller: Party(id: "alice", name: "Alice \u{1F600}", avatar: nil),
      callee: Party(id: "bob", name: "Bob", avatar: "/bob.png"), now: now)
  }

  private func verdict(
    _ delivery: Delivery, _ result: Result<HTTPClientResponse, HTTPClientError>,
    at now: Timestamp = now
  ) throws -> DeliveryOutcome {
    let request = OutgoingRequest(
      delivery: delivery, queue: .fresh, url: try HTTPURL("https://app.example/hooks"), body: [],
      headers: [], secrets: [])
    let answer = Answer(request: request, result: result, milliseconds: 1)
    return Verdict(answer, at: now, randomness: .system).outcome
  }

  private func status(_ status: Int, _ headers: HTTPHeaders = [:]) -> Result<
    HTTPClientResponse, HTTPClientError
  > {
    .success(HTTPClientResponse(status: status, headers: headers, body: []))
  }

  @Test("Any 2xx is success, 410 drops the event, everything else is tried again")
  func statuses() throws {
    for code in 200...299 {
      #expect(try verdict(Self.delivery(.ended), status(code)) == .delivered)
    }
    #expect(
      try verdict(Self.delivery(.ended), status(410)) == .givenUp(error: "HTTP status 410"))
    for code in [301, 302, 307, 308, 400, 401, 403, 404, 429, 500, 502, 503, 599] {
      guard case .retry = try verdict(Self.delivery(.ended), status(code)) else {
        Issue.record("status \(code)")
        continue
      }
    }
  }

  @Test("Retry-After as seconds and as a date")
  func retryAfter() throws {
    let seconds = try verdict(Self.delivery(.ended), status(503, ["Retry-After": "120"]))
    #expect(seconds == .retry(afterMilliseconds: 120_000, error: "HTTP status 503"))
    let date = try verdict(
      Self.delivery(.ended), status(503, ["Retry-After": "Fri, 15 Jan 2027 08:01:00 GMT"]))
    #expect(date == .retry(afterMilliseconds: 60_000, error: "HTTP status 503"))
  }

  @Test("An invitation is not tried after expiresAt + 60 s, unless an operator asked for it")
  func lateInvitation() throws {
    let failure = Result<HTTPClientResponse, HTTPClientError>.failure(.connectionClosed)
    func outcome(_ type: WebhookType, _ seconds: Int64, isForced: Bool = false) throws -> String {
      let now = Self.now.adding(seconds: seconds)
      let outcome = try verdict(
        Self.delivery(type, attempts: 1, isForced: isForced), failure, at: now)
      return if case .retry = outcome { "retry" } else { "given up" }
    }
    for type in [WebhookType.invitation, .stoppedRinging] {
      #expect(try outcome(type, 110) == "retry")
      #expect(try outcome(type, 118) == "given up")
      #expect(try outcome(type, 118, isForced: true) == "retry")
    }
    for type in [WebhookType.missed, .ended] { #expect(try outcome(type, 10_000) == "retry") }
  }

  @Test("The ninth failure is the last, the eighth of a kick")
  func lastAttempt() throws {
    let failure = Result<HTTPClientResponse, HTTPClientError>.failure(.connectionClosed)
    for (delivery, isLast) in [
      (Self.delivery(.ended, attempts: 7), false), (Self.delivery(.ended, attempts: 8), true),
      (Self.delivery(nil, attempts: 6), false), (Self.delivery(nil, attempts: 7), true),
    ] {
      let outcome = try verdict(delivery, failure)
      if case .givenUp = outcome { #expect(isLast) } else { #expect(!isLast) }
    }
  }

  @Test("Signed with each secret; the id is the same at every attempt, the time is not")
  func signature() throws {
    let secrets = try [
      "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_" + String(repeating: "QUJD", count: 10),
    ]
    .map { text throws in try WebhookSecret(text) }
    let delivery = Self.delivery(.invitation)
    let request = OutgoingRequest(
      delivery: delivery, queue: .fresh, url: try HTTPURL("https://app.example/hooks"),
      body: Array("{}".utf8), headers: [], secrets: secrets)
    func header(_ name: String, _ seconds: Int64) -> String? {
      request.signedHeaders(at: Self.now.adding(seconds: seconds)).first { $0.name == name }?.value
    }
    #expect(header("webhook-id", 0) == header("webhook-id", 5))
    #expect(header("webhook-id", 0) == "\(delivery.call.id)-1")
    #expect(header("webhook-timestamp", 5) == "1800000005")
    #expect(header("webhook-signature", 0)?.split(separator: " ").count == 2)
    #expect(header("webhook-signature", 0) != header("webhook-signature", 5))
  }

  @Test("A kick's body, and for how long it holds")
  func kick() throws {
    func seconds(_ until: Int64?) -> Int64 {
      KickBody.seconds(until: until.map { Self.now.adding(seconds: $0) }, from: Self.now)
    }
    #expect(
      [nil, -5, 0, 10, 11, 3600, 86_430, 100_000].map(seconds) == [
        10, 10, 10, 10, 11, 3600, 86_430, 86_430,
      ])
    let body = try JSONParser.parse(KickBody.make(appId: "app", channelId: "room", seconds: 60))
    let members = try #require(body.objectValue)
    #expect(members["cname"]?.stringValue == "room")
    #expect(members["privileges"] == .array([.string("join_channel")]))
  }

  @Test("A body is an object with type, timestamp and data", arguments: WebhookType.allCases)
  func bodies(type: WebhookType) throws {
    var call = Self.call()
    call.status = .missed
    call.endReason = .timeout
    call.endedAt = call.expiresAt
    let body = Self.delivery(type, call: call).body(of: type, WebhookContext())
    let members = try #require(try JSONParser.parse(body).objectValue)
    #expect(members["type"]?.stringValue == type.rawValue)
    #expect(members["timestamp"]?.stringValue == Self.now.iso8601)
    #expect(members["data"]?.objectValue?["callId"]?.stringValue == call.id)
  }
}
