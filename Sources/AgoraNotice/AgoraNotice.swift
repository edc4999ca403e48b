// What Agora's Notifications POST about a channel (contract §9.1; docs.agora.io, "Channel event types"):
// the body as a value. Agora repeats notices and delivers them in any order.

import JSON

package struct AgoraNotice: Sendable, Equatable {
  /// In bytes (contract §9.1).
  package static let bodyLimit = 65_536
  /// Of a notice's id, in bytes of UTF-8; Agora's have some twenty.
  package static let idLimit = 255

  /// Identifies the notice, however often it is delivered.
  package let noticeId: String
  /// 1 is RTC.
  package let productId: Int64
  package let eventType: Int64
  /// When this delivery was sent, in milliseconds since 1970, by Agora's clock.
  package let notifyMs: Int64
  package let payload: [String: JSONValue]

  /// A member of the body that is missing or is of another type.
  package struct Fault: Sendable, Equatable {
    package let member: String
    package let isMissing: Bool
  }

  package enum Failure: Error, Sendable, Equatable {
    case malformedJSON(JSONError)
    /// The body is no object.
    case notAnObject
    /// In the order of the members' names in the documentation.
    case faults([Fault])
  }

  package init(_ body: [UInt8]) throws(Failure) {
    let value: JSONValue
    do { value = try JSONParser.parse(body) } catch { throw .malformedJSON(error) }
    guard let members = value.objectValue else { throw .notAnObject }
    var faults: [Fault] = []
    func member<Value>(_ name: String, _ read: (JSONValue) -> Value?) -> Value? {
      let given = members[name] ?? .null
      if let value = read(given) { return value }
      faults.append(Fault(member: name, isMissing: given.isNull))
      return nil
    }
    let noticeId = member("noticeId") { $0.stringValue.flatMap(Self.id) }
    let productId = member("productId", \.intValue)
    let eventType = member("eventType", \.intValue)
    let notifyMs = member("notifyMs") { $0.intValue.flatMap { $0 >= 0 ? $0 : nil } }
    let payload = member("payload", \.objectValue)
    guard let noticeId, let productId, let eventType, let notifyMs, let payload else {
      throw .faults(faults)
    }
    (self.noticeId, self.productId, self.eventType) = (noticeId, productId, eventType)
    (self.notifyMs, self.payload) = (notifyMs, payload)
  }

  private static func id(_ text: String) -> String? {
    (1...idLimit).contains(text.utf8.count) ? text : nil
  }
}

extension AgoraNotice {
  /// What happened, as far as it is about who is in a channel.
  package enum Event: Sendable, Equatable {
    /// Events 103, 105 and 107.
    case joined(uid: UInt32, sequence: UInt64)
    /// Events 104, 106 and 108.
    case left(uid: UInt32, sequence: UInt64, reason: Int32?)
    /// Event 102: the last user has left, and the channel is gone.
    case destroyed
  }

  /// Whether this is one of the types of `Event`.
  package var isOfInterest: Bool { productId == Self.rtc && (102...108).contains(eventType) }

  /// nil for other products and types, and where the payload lacks what the type has.
  package var event: Event? {
    guard isOfInterest, channelName != nil else { return nil }
    if eventType == 102 { return .destroyed }
    // A sequence number rises with the events of a uid; it is a UInt64 to Agora.
    guard let uid = unsigned("uid").flatMap({ UInt32(exactly: $0) }),
      let sequence = unsigned("clientSeq")
    else { return nil }
    if eventType % 2 == 1 { return .joined(uid: uid, sequence: sequence) }
    let reason = payload["reason"]?.intValue.flatMap { Int32(exactly: $0) }
    return .left(uid: uid, sequence: sequence, reason: reason)
  }

  /// The channel, where the payload names one.
  package var channelName: String? {
    payload["channelName"]?.stringValue.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// When it happened, in seconds since 1970, by Agora's clock.
  package var occurredAtSeconds: Int64? {
    payload["ts"]?.intValue.flatMap { (0...Self.lastSecond).contains($0) ? $0 : nil }
  }

  private static let rtc: Int64 = 1
  /// The end of the year 9999.
  private static let lastSecond: Int64 = 253_402_300_799

  private func unsigned(_ name: String) -> UInt64? {
    switch payload[name] {
    case .int(let value): UInt64(exactly: value)
    case .unsigned(let value): value
    default: nil
    }
  }
}
