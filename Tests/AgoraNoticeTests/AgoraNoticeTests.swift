// Notices as Agora documents them, and what is none (contract §9.1).

import JSON
import Testing

@testable import AgoraNotice

@Suite struct AgoraNoticeTests {
  /// As in Agora's documentation, with the payload of an event.
  private func body(_ eventType: Int, _ payload: String, productId: Int = 1) -> [UInt8] {
    Array(
      """
      {"noticeId": "2000001428:4330:107", "productId": \(productId), "eventType": \(eventType),
       "notifyMs": 1611566412672, "sid": "5EFF2F00027648D499BF100C1DEE1A86", "payload": \(payload)}
      """.utf8)
  }

  private func event(_ eventType: Int, _ payload: String, productId: Int = 1) throws
    -> AgoraNotice.Event?
  {
    try AgoraNotice(body(eventType, payload, productId: productId)).event
  }

  @Test("§9.2 events 103, 105 and 107 say that a uid joined", arguments: [103, 105, 107])
  func joined(type: Int) throws {
    let notice = try AgoraNotice(
      body(
        type,
        """
        {"channelName": "test_webhook", "uid": 12121212, "platform": 1,
         "clientSeq": 1625051035369, "ts": 1560396834}
        """))
    #expect(notice.event == .joined(uid: 12_121_212, sequence: 1_625_051_035_369))
    #expect(notice.channelName == "test_webhook")
    #expect(notice.noticeId == "2000001428:4330:107")
    #expect(notice.notifyMs == 1_611_566_412_672)
    #expect(notice.occurredAtSeconds == 1_560_396_834)
  }

  @Test("§9.2 events 104, 106 and 108 say that it left, and why", arguments: [104, 106, 108])
  func left(type: Int) throws {
    let documented = """
      {"channelName": "test_webhook", "uid": 12121212, "platform": 1, "clientSeq": 1625051037369,
       "reason": 1, "ts": 1560496834, "duration": 600}
      """
    #expect(
      try event(type, documented)
        == .left(uid: 12_121_212, sequence: 1_625_051_037_369, reason: 1))
    #expect(
      try event(type, #"{"channelName": "c", "uid": 4294967295, "clientSeq": 0}"#)
        == .left(uid: .max, sequence: 0, reason: nil))
    #expect(
      try event(type, #"{"channelName": "c", "uid": 1, "clientSeq": 18446744073709551615}"#)
        == .left(uid: 1, sequence: .max, reason: nil))
  }

  @Test("§9.2 event 102 says that the channel is gone")
  func destroyed() throws {
    let documented = #"{"channelName": "test_webhook", "ts": 1560399999, "lastUid": 12121212}"#
    #expect(try event(102, documented) == .destroyed)
  }

  @Test("§9.1 other events and products are read and mean nothing")
  func others() throws {
    let payload = #"{"channelName": "c", "uid": 1, "clientSeq": 1, "ts": 1}"#
    for type in [0, 10, 101, 109, 110, 111, 112, -103, 1103, Int.max] {
      #expect(try event(type, payload) == nil, "\(type)")
    }
    for product in [0, 3, 5, 17, -1] {
      let notice = try AgoraNotice(body(103, payload, productId: product))
      #expect(notice.event == nil)
      #expect(!notice.isOfInterest)
    }
  }

  @Test("§9.1 a payload without what its event has is well-formed and means nothing")
  func incomplete() throws {
    let payloads = [
      "{}", #"{"channelName": "c"}"#, #"{"channelName": "c", "uid": 1}"#,
      #"{"channelName": "c", "clientSeq": 1}"#, #"{"uid": 1, "clientSeq": 1}"#,
      #"{"channelName": "", "uid": 1, "clientSeq": 1}"#,
      #"{"channelName": 7, "uid": 1, "clientSeq": 1}"#,
      #"{"channelName": "c", "uid": "1", "clientSeq": 1}"#,
      #"{"channelName": "c", "uid": -1, "clientSeq": 1}"#,
      #"{"channelName": "c", "uid": 4294967296, "clientSeq": 1}"#,
      #"{"channelName": "c", "uid": 1, "clientSeq": 1.5}"#,
      #"{"channelName": "c", "uid": 1, "clientSeq": -1}"#,
    ]
    for payload in payloads {
      let notice = try AgoraNotice(body(103, payload))
      #expect(notice.event == nil, "\(payload)")
      #expect(notice.isOfInterest)
    }
    #expect(try event(102, "{}") == nil)
    for ts in ["-1", "1e300", "\"1\"", "null", "253402300800"] {
      #expect(try AgoraNotice(body(102, "{\"ts\": \(ts)}")).occurredAtSeconds == nil, "\(ts)")
    }
  }

  private func failure(_ body: String) -> AgoraNotice.Failure? {
    do throws(AgoraNotice.Failure) {
      _ = try AgoraNotice(Array(body.utf8))
      return nil
    } catch { return error }
  }

  @Test("§9.1 what is no notice: every member at fault at once")
  func malformed() {
    for text in ["", "{", "{}x", "\u{1}"] {
      guard case .malformedJSON = failure(text) else {
        Issue.record("\(text) is JSON")
        continue
      }
    }
    for text in ["[]", "1", "null", "\"text\""] { #expect(failure(text) == .notAnObject) }
    let members = ["noticeId", "productId", "eventType", "notifyMs", "payload"]
    #expect(failure("{}") == .faults(members.map { .init(member: $0, isMissing: true) }))
    #expect(
      failure(
        #"{"noticeId": 1, "productId": "1", "eventType": 1.5, "notifyMs": -1, "payload": []}"#)
        == .faults(members.map { .init(member: $0, isMissing: false) }))
    for id in ["", String(repeating: "x", count: 256)] {
      #expect(
        failure(
          #"{"noticeId": "\#(id)", "productId": 1, "eventType": 1, "notifyMs": 1, "payload": {}}"#)
          == .faults([.init(member: "noticeId", isMissing: false)]))
    }
  }
}
