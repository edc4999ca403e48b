import Glibc
import Redis
import System
import TestServers
import Testing

@Suite(.serialized) struct RedisSubscriberTests {
  @Test func messagesOfTheChannelArriveInOrder() throws {
    let server = try RedisServer()
    let subscriber = RedisSubscriber(address: try server.address, channel: "c")
    let redis = RedisConnection(address: try server.address)
    #expect(try subscriber.next(timeoutMilliseconds: 50) == nil)
    for number in 0..<100 {
      #expect(try redis.command("PUBLISH", "c", RedisArgument(number)) == .integer(1))
      _ = try redis.command("PUBLISH", "other", "x")
    }
    for number in 0..<100 {
      #expect(try subscriber.next(timeoutMilliseconds: 1000) == Array(String(number).utf8))
    }
    let time = try ContinuousClock().measure {
      let message = try subscriber.next(timeoutMilliseconds: 100)
      #expect(message == nil)
    }
    #expect(time >= .milliseconds(99))
  }

  @Test func aLostServerIsReportedOnceAndFoundAgain() throws {
    let server = try RedisServer()
    var timeouts = RedisTimeouts()
    timeouts.backOffMilliseconds = 100
    let subscriber = RedisSubscriber(
      address: try server.address, channel: "c", timeouts: timeouts)
    #expect(try subscriber.next(timeoutMilliseconds: 20) == nil)
    server.stop()
    #expect(throws: RedisError.self) { try subscriber.next(timeoutMilliseconds: 1000) }
    let time = try ContinuousClock().measure {
      let message = try subscriber.next(timeoutMilliseconds: 50)
      #expect(message == nil)
    }
    #expect(time >= .milliseconds(49))
    try server.start()
    usleep(60_000)
    #expect(try subscriber.next(timeoutMilliseconds: 50) == nil)
    let redis = RedisConnection(address: try server.address)
    #expect(try redis.command("PUBLISH", "c", "again") == .integer(1))
    #expect(try subscriber.next(timeoutMilliseconds: 1000) == Array("again".utf8))
  }
}
