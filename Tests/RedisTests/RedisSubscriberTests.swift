import Glibc
import Redis
import System
import TestServers
import Testing

extension RedisNotice {
  static func message(_ text: String, of channel: String) -> RedisNotice {
    .message(channel: Array(channel.utf8), Array(text.utf8))
  }
}

@Suite(.serialized) struct RedisSubscriberTests {
  @Test func messagesOfTheChannelArriveInOrder() throws {
    let server = try RedisServer()
    let subscriber = RedisSubscriber(
      addresses: [try server.address], channels: ["c"], timeouts: .patient)
    let redis = try server.connect()
    #expect(try subscriber.next(timeoutMilliseconds: 50) == .connected)
    #expect(try subscriber.next(timeoutMilliseconds: 50) == nil)
    for number in 0..<100 {
      #expect(try redis.command("PUBLISH", "c", RedisArgument(number)) == .integer(1))
      _ = try redis.command("PUBLISH", "other", "x")
    }
    for number in 0..<100 {
      #expect(
        try subscriber.next(timeoutMilliseconds: 30_000) == .message(String(number), of: "c"))
    }
    let time = try ContinuousClock().measure {
      let notice = try subscriber.next(timeoutMilliseconds: 100)
      #expect(notice == nil)
    }
    #expect(time >= .milliseconds(99))
  }

  @Test func channelsComeAndGo() throws {
    let server = try RedisServer()
    let subscriber = RedisSubscriber(addresses: [try server.address], timeouts: .patient)
    let redis = try server.connect()
    // Without a connection nothing is listened to, nor later on.
    try subscriber.subscribe(to: ["early"])
    #expect(try subscriber.next(timeoutMilliseconds: 50) == .connected)
    try subscriber.subscribe(to: ["a", "b"])
    try subscriber.unsubscribe(from: ["a", "nobody"])
    try subscriber.subscribe(to: [])
    #expect(try subscriber.next(timeoutMilliseconds: 50) == nil)
    for (channel, count) in [("early", 0), ("a", 0), ("b", 1)] as [(String, Int64)] {
      #expect(
        try redis.command("PUBLISH", RedisArgument(channel), "word") == .integer(count))
    }
    #expect(try subscriber.next(timeoutMilliseconds: 30_000) == .message("word", of: "b"))
    // With no channel left the connection stays.
    try subscriber.unsubscribe(from: ["b"])
    #expect(try subscriber.next(timeoutMilliseconds: 50) == nil)
    #expect(subscriber.isConnected)
  }

  @Test func anotherDescriptorEndsTheWait() throws {
    let server = try RedisServer()
    let subscriber = RedisSubscriber(
      addresses: [try server.address], channels: ["c"], timeouts: .patient)
    #expect(try subscriber.next(timeoutMilliseconds: 50) == .connected)
    let event = try EventDescriptor()
    event.signal()
    let time = try ContinuousClock().measure {
      // The first wait may end with the rest of the confirmation.
      for _ in 0..<3 {
        let notice = try subscriber.next(
          timeoutMilliseconds: 60_000, orReadable: event.descriptor.raw)
        #expect(notice == nil)
      }
    }
    #expect(time < .seconds(50))
  }

  @Test func aLostServerIsReportedOnceAndFoundAgain() throws {
    let server = try RedisServer()
    var timeouts = RedisTimeouts.patient
    timeouts.backOffMilliseconds = 500
    let subscriber = RedisSubscriber(
      addresses: [try server.address], channels: ["c"], timeouts: timeouts)
    #expect(try subscriber.next(timeoutMilliseconds: 20) == .connected)
    server.stop()
    #expect(throws: RedisError.self) { try subscriber.next(timeoutMilliseconds: 30_000) }
    let time = try ContinuousClock().measure {
      let notice = try subscriber.next(timeoutMilliseconds: 50)
      #expect(notice == nil)
    }
    #expect(time >= .milliseconds(49))
    try server.start()
    // Once the back-off is over.
    var notice: RedisNotice?
    for _ in 0..<100 where notice == nil { notice = try subscriber.next(timeoutMilliseconds: 50) }
    #expect(notice == .connected)
    let redis = try server.connect()
    #expect(try redis.command("PUBLISH", "c", "again") == .integer(1))
    #expect(try subscriber.next(timeoutMilliseconds: 30_000) == .message("again", of: "c"))
  }
}
